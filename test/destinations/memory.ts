import t from 'tap'
import { Batch } from '../../src/batch/batch.ts'
import type { Request, SendContext } from '../../src/deliver/destination.ts'
import { makeRequest } from '../../src/deliver/request.ts'
import { memory } from '../../src/destinations/memory/index.ts'
import { ndjson } from '../../src/encode/ndjson.ts'
import { Account } from '../../src/receipts/receipts.ts'
import { Records } from '../../src/records/records.ts'

function batchOf(records: readonly string[], outputType?: string): Batch {
  const from = { receipt: new Account().open(records.length, 0), arrivedAt: 0 }
  const facts = { key: 'acme', partitionKeys: { customer: 'acme' }, openedAt: 0, closedBy: 'age', outputType } as const
  return new Batch([Records.pack(from, records)], facts)
}

const requestOf = (records: readonly string[], objectKey?: string): Promise<Request> =>
  makeRequest({ batch: batchOf(records), encode: ndjson(), objectKey })

const context = (attempt = 1, signal = new AbortController().signal): SendContext => ({ attempt, signal })

t.test('keeps copies of what comes', async (t) => {
  const to = memory()
  const request = await requestOf(['{"a":1}', '{"a":2}'], 'some/key')
  t.equal(await to.send(request, context(3)), undefined)
  for (const run of request.batch.runs) run.bytes.fill(0)
  const [taken] = to.objects
  t.match(taken, {
    key: 'acme',
    partitionKeys: { customer: 'acme' },
    objectKey: 'some/key',
    closedBy: 'age',
    outputType: undefined,
    requestId: request.id,
    attempt: 3,
    contentType: 'application/x-ndjson',
  })
  t.equal(taken?.bytes.toString(), '{"a":1}\n{"a":2}\n')
  t.same(taken?.json(), [{ a: 1 }, { a: 2 }])
  await to.send(await requestOf(['3']), context())
  t.same(to.records().map(String), ['{"a":1}', '{"a":2}', '3'])
  t.same(to.json(), [{ a: 1 }, { a: 2 }, 3])
  t.equal(to.attempts, 2)
  to.clear()
  t.same([to.objects.length, to.records().length, to.attempts], [0, 0, 0])
})

t.test('fails and refuses as it is told, in that order', async (t) => {
  const [first, later] = [new Error('first'), new Error('later')]
  const to = memory({ fail: [first, undefined, { refuse: [2, 0, 0, 9], retryable: true }] })
  to.failNext(later, 2)
  to.refuseNext([0, 1, 2], { error: 'no' })
  const send = async () => to.send(await requestOf(['1', '2', '3']), context())
  await t.rejects(send(), first)
  t.equal(await send(), undefined)
  t.same(await send(), {
    refused: [
      { index: 0, error: 'refused by memory()', retryable: true },
      { index: 2, error: 'refused by memory()', retryable: true },
    ],
  })
  t.equal(to.objects.at(-1)?.bytes.toString(), '2\n', 'what was not refused was taken')
  await t.rejects(send(), later)
  await t.rejects(send(), later)
  t.same(await send(), { refused: [0, 1, 2].map((index) => ({ index, error: 'no', retryable: false })) })
  t.equal(to.objects.length, 2, 'where all is refused there is no object')
  t.equal(await send(), undefined)
  t.equal(to.attempts, 7)
})

t.test('hangs until it is resumed, or the attempt is aborted', async (t) => {
  const to = memory()
  to.pause()
  const abort = new AbortController()
  const sends = [to.send(await requestOf(['1']), context()), to.send(await requestOf(['2']), context(1, abort.signal))]
  to.failNext(new Error('for the one that goes on'))
  const reason = new Error('enough')
  abort.abort(reason)
  await t.rejects(Promise.resolve(sends[1]), reason)
  await t.rejects(to.send(await requestOf(['3']), context(1, abort.signal)), reason, 'aborted before it began')
  t.same([to.attempts, to.objects.length], [3, 0])
  to.resume()
  await t.rejects(Promise.resolve(sends[0]), { message: 'for the one that goes on' })
  t.equal(await to.send(await requestOf(['4']), context()), undefined)
})

t.test('options', async (t) => {
  const to = memory({
    name: 'double',
    limits: { maxRecords: 2 },
    concurrency: 7,
    objectKey: ({ key }, end) => `x/${key}${end}`,
  })
  t.match(to, { name: 'double', limits: { maxRecords: 2 }, concurrency: 7 })
  t.equal(to.objectKey?.(batchOf(['1']), '.gz'), 'x/acme.gz')
  t.equal(memory().objectKey, undefined)
  const faults: Record<string, unknown> = { fail: [{ refuse: [-1] }] }
  t.throws(() => memory(faults), { message: /memory: fail must be an array of errors/ })
  t.throws(() => memory({ concurrency: 0 }), { message: /memory: concurrency must be/ })
  t.throws(() => memory({ name: '' }), { message: /memory: name must be/ })
})
