import { toError } from '../../errors.ts'
import type { Records } from '../../records/records.ts'
import { fromSent, isOurs } from '../../sent-error.ts'
import { dropped, Output, Stop, Thrown } from '../output.ts'
import { several, type TransformResult } from '../result.ts'
import type { Answer } from './answer.ts'
import { toRecords } from './apply.ts'

/** The user's own answer to an error, or that the stream is to end with the first. */
export type Rescue = 'stop' | ((error: Error, record: Buffer) => TransformResult | Promise<TransformResult>)

/**
 * Asks the user's `onError` about the records that failed in a thread, and puts what it says into their places among the others.
 *
 * @returns What the transform would have gathered in one thread.
 */
export async function rescued(records: Records, answer: Answer, rescue: Rescue, now: () => number): Promise<Output> {
  const results: unknown[][] = Array.from(records, () => [])
  for (const index of answer.dropped) results[index]?.push(dropped)
  for (const index of answer.kept) results[index]?.push(true)
  for (const made of answer.made) {
    for (const [i, bytes] of [...toRecords(records, made, answer.unwraps)].entries()) {
      const known = made.metadata?.[i]
      results[made.origins[i] ?? 0]?.push(known === undefined ? bytes : several([bytes], [known]))
    }
  }
  for (const { index, code, error, rescuable } of answer.failed) {
    const local = fromSent(error)
    const ours = isOurs(code) ? code : undefined
    if (!rescuable) results[index]?.push(new Thrown(local, ours))
    else if (rescue === 'stop') results[index]?.push(new Stop(local, ours ?? 'Transform.Threw'))
    else results[index]?.push(await ask(rescue, local, records.at(index)))
  }
  const output = new Output(records, answer.meaning, now, undefined, answer.unwraps)
  for (const [index, all] of results.entries()) {
    if (all.length > 1) records.receipt.at(index).expand(all.length - 1)
    for (const result of all) output.add(index, result)
  }
  return output
}

async function ask(rescue: Exclude<Rescue, 'stop'>, error: Error, record: Buffer): Promise<unknown> {
  try {
    return await rescue(error, record)
  } catch (thrown) {
    return new Thrown(toError(thrown))
  }
}
