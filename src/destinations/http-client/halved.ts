import type { Refusal, Request, SendResult } from '../../deliver/destination.ts'
import { toError } from '../../errors.ts'
import { isRetryable } from '../../retry/retryable.ts'

/**
 * Why fewer records may be taken: all of them are `'too-large'`, or `'one-of-them'` is wrong and the server does not say which. The latter may
 * be wrong of all, and then it is not asked of each.
 */
export type WhyHalve = 'too-large' | 'one-of-them'

/** So many records that are refused one by one, and none taken, mean that it is not them. */
const maxAlone = 16

/**
 * Sends a request, and in halves what the server does not take whole, down to the single record, which is refused then.
 *
 *     413 ─▶ [ a b c d ] ─▶ [ a b ] ✓   [ c d ] 413 ─▶ [ c ] ✓   [ d ] 413: refused
 *
 * @param attempt - Sends a request whole, and resolves to the records that were refused while others were taken; rejects when the server has
 *   taken nothing of it.
 * @param whyHalve - Whether fewer records may be taken after such an error.
 * @throws What `attempt` has rejected with, where that was for the whole.
 */
export async function sendHalved(
  request: Request,
  // biome-ignore lint/suspicious/noConfusingVoidType: an async function without a return is how most are written
  attempt: (request: Request) => Promise<readonly Refusal[] | void>,
  whyHalve: (error: unknown) => WhyHalve | undefined,
): Promise<SendResult> {
  const refused: Refusal[] = []
  let whole: unknown
  let alone = 0
  let hasTaken = false
  const send = async (part: Request, first: number): Promise<void> => {
    try {
      const some = (await attempt(part)) ?? []
      for (const one of some) refused.push({ ...one, index: first + one.index })
      hasTaken = true
    } catch (thrown) {
      const why = whyHalve(thrown)
      if (part === request) whole = thrown
      if (part.length > 1 && why !== undefined && (why === 'too-large' || hasTaken || alone < maxAlone)) {
        const middle = Math.ceil(part.length / 2)
        await send(await part.select(numbers(0, middle)), first)
        await send(await part.select(numbers(middle, part.length)), first + middle)
        return
      }
      if (part === request) throw thrown
      alone += 1
      const error = toError(thrown)
      const retryable = why === undefined && isRetryable(thrown)
      for (let i = 0; i < part.length; i += 1) refused.push({ index: first + i, error, retryable })
    }
  }
  await send(request, 0)
  // Where it was none of them, it is the whole that is wrong.
  const isWhole = !hasTaken && refused.every(({ retryable }) => retryable !== true)
  if (isWhole && whole !== undefined && whyHalve(whole) === 'one-of-them') throw whole
  return refused.length === 0 ? undefined : { refused }
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}
