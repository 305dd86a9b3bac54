import { finished } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { Batch } from '../../src/batch/batch.ts'
import { readBackupRecord } from '../../src/deliver/backup/backup-record.ts'
import { memory } from '../../src/destinations/memory/index.ts'
import { firehose } from '../../src/firehose.ts'
import type { Counts } from '../../src/receipts/receipts.ts'
import { FailedRecords } from '../../src/records/failed-records.ts'
import { Records } from '../../src/records/records.ts'
import { lines } from '../../src/split/lines.ts'
import { split } from '../../src/split/split.ts'
import type { Stage } from '../../src/stage/stage.ts'
import { drop, fail, several } from '../../src/transform/result.ts'
import { transform } from '../../src/transform/transform.ts'
import { filter, json, map, text } from '../../src/transform/view.ts'
import { conserves } from '../support/conservation.ts'

interface Seen {
  readonly texts: string[]
  readonly runs: Records[]
  readonly failed: { readonly text: string; readonly code: string; readonly message: string }[]
  readonly counts: Counts
}

/** Sends text through `split(lines())` and some transforms; what comes out is settled as delivered, and what failed as backed up. */
async function through(t: Test, input: string | readonly string[], ...stages: readonly Stage[]): Promise<Seen> {
  const first = split(lines())
  let last: Stage = first
  for (const stage of stages) {
    const before = last
    before.on('error', (error) => stage.destroy(error))
    last = before.pipe(stage)
  }
  const seen: Omit<Seen, 'counts'> = { texts: [], runs: [], failed: [] }
  last.on('data', (chunk: unknown) => {
    if (chunk instanceof FailedRecords) {
      for (const [i, bytes] of [...chunk.records].entries()) {
        seen.failed.push({ text: String(bytes), code: chunk.reason(i).code, message: chunk.reason(i).message })
      }
      chunk.records.receipt.settle('backedUp', chunk.length)
    } else if (chunk instanceof Records) {
      const { records } = chunk.serialised()
      seen.runs.push(chunk)
      seen.texts.push(...Array.from(records, String))
      chunk.receipt.settle('delivered', records.length)
    }
  })
  for (const piece of typeof input === 'string' ? [input] : input) first.write(piece)
  first.end()
  await new Promise((resolve, reject) => last.once('end', resolve).once('error', reject))
  const counts = first.account.counts()
  conserves(t, counts)
  t.equal(counts.pending, 0, 'nothing is pending')
  return { ...seen, counts }
}

t.test('what a function may answer', async (t) => {
  const answers: Record<string, () => unknown> = {
    object: () => ({ a: [1] }),
    text: () => 'plain text',
    bytes: () => Buffer.from([0xff, 0x00]),
    number: () => 12.5,
    nothing: () => null,
    dropped: () => drop,
    failed: () => fail('no good'),
    failedWithError: () => fail(Object.assign(new Error('worse'), { code: 'EWORSE' })),
    threw: () => {
      throw new Error('thrown')
    },
    undefined: () => undefined,
    several: () => several([{ b: 1 }, 'two', Buffer.from('three')]),
    none: () => several([]),
    wrongSeveral: () => several([1, drop]),
    bigint: () => 1n,
    cycle: () => {
      const cycle: Record<string, unknown> = {}
      cycle.self = cycle
      return cycle
    },
    rejected: () => Promise.reject(new Error('rejected')),
    later: async () => ({ later: true }),
  }
  const input = Object.keys(answers).join('\n')
  const step = transform(text((name) => answers[name]?.() as object))
  const { texts, failed, counts } = await through(t, input, step)
  t.same(texts, ['{"a":[1]}', 'plain text', '\ufffd\0', '12.5', 'null', '{"b":1}', 'two', 'three', '{"later":true}'])
  t.same(
    failed.map(({ text, code }) => [text, code]).sort(),
    [
      ['bigint', 'Transform.NotSerialisable'],
      ['cycle', 'Transform.NotSerialisable'],
      ['failed', 'Transform.Failed'],
      ['failedWithError', 'EWORSE'],
      ['rejected', 'Transform.Threw'],
      ['threw', 'Transform.Threw'],
      ['undefined', 'Transform.NoResult'],
      ['wrongSeveral', 'Transform.WrongAnswer'],
    ].sort(),
  )
  t.match(counts, { in: 19, expanded: 2, delivered: 9, dropped: 2, backedUp: 8 })
})

t.test('bytes are bytes, whatever they come in', async (t) => {
  const shared = new SharedArrayBuffer(2)
  new Uint8Array(shared).set([0x79, 0x7a])
  const answers: readonly object[] = [
    new Uint8Array([0x61, 0x62]),
    new Uint8Array([0x63, 0x64]).buffer,
    new Uint16Array(Uint8Array.from([0x65, 0x66, 0x67, 0x68]).buffer, 2),
    new DataView(Uint8Array.from([0x69, 0x6a]).buffer),
    shared,
    several([new Uint8Array([0x6b]).buffer, { object: true }]),
    Object.create(null),
  ]
  const step = transform(text((index) => answers[Number(index)] ?? drop))
  const { texts } = await through(t, [...answers.keys()].join('\n'), step)
  t.same(texts, ['ab', 'cd', 'gh', 'ij', 'yz', 'k', '{"object":true}', '{}'])
})

t.test('json: what is not JSON fails alone, with its own bytes', async (t) => {
  const input = '{"a":1}\nnot json\n{"a":2}\n{"a":\n  \n[3]\n'
  const { texts, failed } = await through(t, input, transform(json((value: unknown) => [value])))
  t.same(texts, ['[{"a":1}]', '[{"a":2}]', '[[3]]'])
  t.same(
    failed.map(({ text }) => text),
    ['not json', '{"a":', '  '],
  )
  t.match(failed[0], { code: 'Transform.NotJson', message: /^the record is not JSON/ })
})

t.test('json: malformed records cannot make up for one another', async (t) => {
  // Joined by commas these would be as many values as there are lines.
  const tricks = ['1,2', '{"a":1', '"b":2}', '3', '{},{}', '{"a":[{}', '{}]}', '"x', 'y"', '[1', '2]', '{}']
  const { texts, failed } = await through(t, tricks.join('\n'), transform(json((value: unknown) => ({ value }))))
  t.same(texts, ['{"value":3}', '{"value":{}}'])
  t.equal(failed.length, 10)
})

t.test('json: a block gives what its records give one by one', async (t) => {
  const line = fc.oneof(
    { weight: 8, arbitrary: fc.json() },
    fc.constantFrom('{"a":1', '1,2', '', ' ', '"', '\\', '[', ']', '{"__proto__":{"x":1}}', '\ufeff1', '-0', '1e999'),
    fc.string({ unit: 'grapheme', maxLength: 8 }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 30 }), fc.constantFrom('\n', '\r\n'), async (given, ending) => {
      // A byte order mark in front of the first line would be none of a record.
      const input = ['0', ...given.map((one) => one.replaceAll(/[\r\n]/g, '')).filter((one) => one !== '')]
      const good: string[] = []
      const bad: string[] = []
      for (const one of input) {
        try {
          good.push(JSON.stringify([JSON.parse(one)]))
        } catch {
          bad.push(one)
        }
      }
      const seen = await through(quiet, input.join(ending) + ending, transform(json((value: unknown) => [value])))
      if (seen.texts.join('\n') !== good.join('\n')) throw new Error(`good: ${seen.texts.join('|')}`)
      const failures = seen.failed.map((one) => one.text).join('\n')
      if (failures !== Buffer.from(bad.join('\n')).toString()) throw new Error(`failed: ${failures}`)
    }),
    { numRuns: 300 },
  )
  t.pass('300 random inputs')
})

t.test('filter keeps the original bytes', async (t) => {
  const input = '{"a" : 1, "big": 12345678901234567890}\n{"a":2}\n{"a":1}\nnope\n'
  const step = transform(filter(json((value: { a: number }) => value.a === 1)))
  const { texts, failed, counts, runs } = await through(t, input, step)
  t.same(texts, ['{"a" : 1, "big": 12345678901234567890}', '{"a":1}'])
  t.equal(failed[0]?.text, 'nope')
  t.match(counts, { in: 4, delivered: 2, dropped: 1, backedUp: 1 })
  t.equal(runs[0]?.bytes.buffer, runs[0]?.at(1).buffer, 'a view of the same memory')
  const bytes = await through(t, 'keep 1\nlose\nkeep 2', transform(filter((record) => record.indexOf('keep') === 0)))
  t.same(bytes.texts, ['keep 1', 'keep 2'])
  const all = await through(t, 'a\nb\n', transform(filter(() => true)))
  t.ok(all.runs[0]?.isFramed, 'all of a run stays as it is')
  // A forgotten return is no word of the user's that records may go.
  const forgot = await through(t, 'a\nb\n', transform(filter(() => undefined as unknown as boolean)))
  t.same(
    forgot.failed.map(({ code }) => code),
    ['Transform.NoResult', 'Transform.NoResult'],
  )
})

t.test('map makes one of one', async (t) => {
  const { texts, counts } = await through(t, '1\n2\n', transform(map(json((value: number) => [value, value]))))
  t.same(texts, ['[1,1]', '[2,2]'])
  t.match(counts, { in: 2, expanded: 0 })
})

t.test('values are not parsed again, and bytes only made when asked for', async (t) => {
  const seen: unknown[] = []
  const first = transform(json((value: object) => ({ ...value, first: true })))
  const second = transform(
    json((value: object) => {
      seen.push(value)
      return { ...value, second: true }
    }),
  )
  const { texts, runs } = await through(t, '{"a":1}', first, second)
  t.same(seen, [{ a: 1, first: true }])
  t.same(texts, ['{"a":1,"first":true,"second":true}'])
  t.ok(runs[0]?.parsed, 'the values travel on')
})

t.test('async functions: the order is kept, and the concurrency', async (t) => {
  const input = Array.from({ length: 100 }, (_, i) => String(i))
  for (const concurrency of [1, 3, 200]) {
    let [atWork, most] = [0, 0]
    const step = transform(
      text(async (one) => {
        atWork += 1
        most = Math.max(most, atWork)
        // Later records are often ready before earlier ones.
        await sleep(Number(one) % 3 === 0 ? 2 : 0)
        atWork -= 1
        if (Number(one) % 10 === 7) throw new Error(`no ${one}`)
        return Number(one) % 10 === 8 ? drop : one
      }),
      { concurrency },
    )
    const chunks = [input.slice(0, 37).join('\n'), `\n${input.slice(37, 40).join('\n')}\n`, input.slice(40).join('\n')]
    const { texts, failed } = await through(t, chunks, step)
    const wanted = input.filter((one) => Number(one) % 10 !== 7 && Number(one) % 10 !== 8)
    t.same(texts, wanted, `concurrency ${concurrency}`)
    t.equal(failed.length, 10)
    t.ok(most <= concurrency, `at most ${concurrency} at work, were ${most}`)
    if (concurrency > 1) t.ok(most > 1, 'several at work')
  }
})

t.test('async and sync answers mixed', async (t) => {
  const step = transform(
    text((one) => (Number(one) % 2 === 0 ? one : sleep(1).then(() => one))),
    { concurrency: 4 },
  )
  const input = Array.from({ length: 50 }, (_, i) => String(i))
  const { texts } = await through(
    t,
    input.map((one) => `${one}\n`),
    step,
  )
  t.same(texts, input)
})

t.test('onError', async (t) => {
  const broken = text((one) => {
    if (one === 'bad') throw new Error('broken')
    return one === 'worse' ? fail('worse') : one
  })
  const input = 'a\nbad\nb\nworse\n'
  t.match(await through(t, input, transform(broken, { onError: 'drop' })), {
    texts: ['a', 'b'],
    counts: { dropped: 2 },
  })
  await t.rejects(through(t, input, transform(broken, { onError: 'stop' })), {
    code: 'Transform.Threw',
    message: /^a record \(line 2 of the input, at byte 2\) failed, and onError is 'stop': Transform.Threw: broken$/,
    cause: { message: 'broken' },
  })
  const instead = transform(broken, { onError: (error, record) => `${error.message}: ${record}` })
  t.same((await through(t, input, instead)).texts, ['a', 'broken: bad', 'b', 'worse: worse'])
  const worse = transform(broken, {
    onError: () => {
      throw new Error('broken again')
    },
  })
  t.same(
    (await through(t, input, worse)).failed.map(({ message }) => message),
    ['broken again', 'broken again'],
  )
})

t.test('the context says when the record came, and its number in the stream', async (t) => {
  const seen: number[] = []
  const now = Date.now()
  const step = transform(
    text(async (one, context) => {
      await sleep(1)
      seen.push(context.index)
      if (context.arrivedAt < now || context.signal.aborted) throw new Error('a wrong context')
      return one
    }),
    { concurrency: 5 },
  )
  const { failed } = await through(t, ['a\nb\nc', '\nd\n', 'e\nf'], step)
  t.same(seen, [0, 1, 2, 3, 4, 5])
  t.same(failed, [])
})

t.test('destroying aborts the signal', async (t) => {
  let aborted = false
  const step = transform(async (_record, { signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    aborted = true
    return 'late'
  })
  step.on('data', () => t.fail('nothing comes after the destruction'))
  step.write('one')
  await sleep(5)
  step.destroy()
  await new Promise((resolve) => step.once('close', resolve))
  await sleep(1)
  t.ok(aborted)
})

t.test('refuses what it does not take', async (t) => {
  t.throws(
    () =>
      transform(
        json((value: object) => value),
        { concurrency: 0 },
      ),
    {
      message: 'transform: concurrency must be a whole number of promises, at least 1, but came as 0',
    },
  )
  // @ts-expect-error: not a function
  t.throws(() => transform(3), { message: 'transform takes a function, but came as 3' })
  // @ts-expect-error: not a function
  t.throws(() => json(3), { message: 'json takes a function, but came as 3' })
  const late = transform(map(String))
  const refusal = new Promise((resolve) => late.once('error', resolve))
  const facts = { key: undefined, partitionKeys: {}, openedAt: 0, closedBy: 'flush' as const }
  late.write(new Batch([], facts))
  t.match(await refusal, { code: 'Input.Unsupported', message: 'transform cannot take a Batch' })
  const asItIs = json((value: object) => value)
  // @ts-expect-error: an unknown name
  t.throws(() => transform(asItIs, { onEror: 'drop' }), { message: /did you mean onError\?/ })
})

/** For property tests: `through` has its say by throwing. */
const quiet = new Proxy(t, {
  get: (target, name) => {
    if (name !== 'equal') return Reflect.get(target, name)
    return (a: unknown, b: unknown) => {
      if (a !== b) throw new Error(`${String(a)} is not ${String(b)}`)
    }
  },
})

t.test('values of which JSON would show nothing fail, wherever they stand', async (t) => {
  const values: Readonly<Record<string, unknown>> = {
    Map: new Map([[1, 2]]),
    Set: new Set([1]),
    RegExp: /x/,
    Error: new Error('x'),
    Promise: [Promise.resolve(1)],
    'Map deep inside': { a: [{ b: new Map() }] },
  }
  for (const [name, value] of Object.entries(values)) {
    const backup = memory()
    const hose = firehose({ transform: json(() => Object(value)), to: memory(), backup })
    hose.end({ n: 1 })
    await finished(hose)
    t.match(
      readBackupRecord(backup.records()[0] ?? ''),
      {
        errorCode: 'Transform.NotSerialisable',
        errorMessage: /JSON has no form for a (Map|Set|RegExp|Error|Promise), which would become \{\}/,
        record: Buffer.from('{"n":1}'),
      },
      name,
    )
  }
  const good = [
    {},
    { a: {} },
    new Date(0),
    { toJSON: () => ({}) },
    Object.create(null),
    [{}],
    '{}',
    new (class Empty {})(),
  ]
  const to = memory()
  const hose = firehose({ transform: json((i: number) => good[i] ?? drop), to })
  for (const i of good.keys()) hose.write(i)
  hose.end()
  await finished(hose)
  t.same(
    to.records().map(String),
    good.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))),
  )
})
