/** Says of each record what its first word asks for. */
import { setImmediate as turn } from 'node:timers/promises'
import { drop, fail, several, type TransformResult } from '../../../src/transform/result.ts'
import { text } from '../../../src/transform/view.ts'

const cycle: Record<string, unknown> = {}
cycle.self = cycle

/** What may be asked for. */
export const answers: Readonly<
  Record<string, (record: string) => TransformResult | Promise<TransformResult> | bigint | undefined>
> = {
  object: (record) => ({ record, size: [record.length] }),
  text: (record) => `${record}\n<${record}>`,
  bytes: (record) => Buffer.from([0xff, record.length & 0xff, 0x0a]),
  nothing: () => '',
  null: () => null,
  number: (record) => record.length / 2,
  drop: () => drop,
  fail: (record) => fail(`no good: ${record}`),
  failWithError: (record) => fail(Object.assign(new RangeError(record), { code: 'EWORSE' })),
  throw: (record) => {
    throw new TypeError(record)
  },
  throwText: (record) => {
    throw record
  },
  undefined: () => undefined,
  several: (record) => several([{ record }, record, Buffer.from(record)]),
  none: () => several([]),
  one: (record) => several([record]),
  severalWrong: () => several([1, drop]),
  severalCycle: (record) => several([1, cycle, record]),
  bigint: () => 1n,
  cycle: () => cycle,
  date: () => ({ at: new Date(0) }),
}

/** What may be asked for as a promise. */
export const later: typeof answers = {
  later: async (record) => {
    for (let i = record.length % 5; i > 0; i -= 1) await turn()
    return { later: record }
  },
  laterDrop: async () => drop,
  laterSeveral: async (record) => several([record, { record }]),
  reject: (record) => Promise.reject(new Error(record)),
  laterFail: async (record) => fail(record),
}

export default text((record, context) => {
  const [word = ''] = record.split(' ', 1)
  if (word === 'index') return [context.index, context.arrivedAt, context.signal.aborted]
  // A word that is not known is a forgotten return.
  return (answers[word] ?? later[word])?.(record) as TransformResult
})
