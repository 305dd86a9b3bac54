import fc from 'fast-check'
import t from 'tap'
import type { Batch } from '../../src/batch/batch.ts'
import { batchLimits, MiB } from '../../src/batch/batch-stage.ts'
import { Batcher, type BatchLimits } from '../../src/batch/batcher.ts'
import { compileKey } from '../../src/batch/keys/key.ts'
import type { KeyReader } from '../../src/batch/keys/pieces.ts'
import { Lease } from '../../src/memory/lease.ts'
import { RecordMemory } from '../../src/memory/record-memory.ts'
import { WasmMemory } from '../../src/memory/wasm-memory.ts'
import { ReceiptMerger } from '../../src/receipts/merged-receipts.ts'
import { Account, type Receipt } from '../../src/receipts/receipts.ts'
import type { FailedRecords } from '../../src/records/failed-records.ts'
import { type Provenance, Records } from '../../src/records/records.ts'
import { json } from '../../src/transform/view.ts'
import { conserves } from '../support/conservation.ts'
import { ManualClock } from '../support/manual-clock.ts'

const unbounded: BatchLimits = {
  maxBytes: 1_000_000,
  maxRecords: Number.POSITIVE_INFINITY,
  maxAge: 1_000_000,
  maxOpenBytes: Number.POSITIVE_INFINITY,
  maxOpenKeys: Number.POSITIVE_INFINITY,
}

/** The key is what stands before the colon. */
const beforeColon: KeyReader = {
  keyOf(records, index) {
    const [key, rest] = records.text(index).split(':')
    if (key === undefined || key === '' || rest === undefined) throw new Error('no key')
    return key
  },
  partsOf: (records, index) => ({ first: records.text(index).split(':')[0] ?? '' }),
}

/** How the records of a run lie: as a user's Buffers, apart, as lines in either memory, as what a filter left of them, or nowhere yet. */
const layouts = ['framed', 'spans', 'lines', 'wasm', 'filtered', 'sparse', 'values'] as const
type Layout = (typeof layouts)[number]
const laidOut = layouts.filter((layout) => layout !== 'values')

interface Setup {
  readonly clock: ManualClock
  readonly account: Account
  readonly batcher: Batcher
  readonly batches: Batch[]
  readonly failed: FailedRecords[]
  /** Adds texts as one run, in one of the layouts that runs have. */
  add(texts: readonly string[], layout?: Layout): void
}

function setup(
  limits: Partial<BatchLimits>,
  options: { key?: KeyReader; overhead?: { record: number; batch: number } } = {},
): Setup {
  const clock = new ManualClock()
  const account = new Account()
  const batches: Batch[] = []
  const failed: FailedRecords[] = []
  const batcher = new Batcher({
    hose: 'test',
    limits: { ...unbounded, ...limits },
    overhead: options.overhead ?? { record: 1, batch: 0 },
    key: options.key,
    clock,
    onBatch: (batch) => void batches.push(batch),
    onFailed: (records) => void failed.push(records),
  })
  const add: Setup['add'] = (texts, layout = 'framed') => {
    const from = { receipt: account.open(texts.length, clock.wall()), arrivedAt: clock.wall() }
    batcher.add(runOf(from, texts, layout))
  }
  return { clock, account, batcher, batches, failed, add }
}

function runOf(from: Provenance, texts: readonly string[], layout: Layout): Records {
  switch (layout) {
    case 'framed':
      return Records.pack(from, texts)
    case 'lines':
      return Records.pack(from, texts, true)
    case 'wasm':
      return inWasm(Records.pack(from, texts, true))
    case 'spans':
      return apart(from, texts)
    case 'filtered':
      return filtered(from, texts, 1)
    case 'sparse':
      return filtered(from, texts, 9)
    case 'values':
      return Records.values(from, texts)
  }
}

/** Lines in a chunk as a source reads it. */
function inWasm(lines: Records): Records {
  const chunk = WasmMemory.make(lines.bytes.length)?.chunk
  if (chunk === undefined) throw new Error('this machine has no memory for WebAssembly')
  lines.bytes.copy(chunk)
  return Records.lines(lines, chunk, 0, lines.ends)
}

/** What is left of lines in a chunk, of which so many were dropped before every third record. */
function filtered(from: Provenance, texts: readonly string[], dropped: number): Records {
  const gap = Array.from({ length: dropped }, () => 'dropped:')
  const all = texts.flatMap((text, i) => (i % 3 === 0 ? [...gap, text] : [text]))
  const stay = all.flatMap((text, i) => (text === 'dropped:' ? [] : [i]))
  const whole = { receipt: new Account().open(all.length, 0), arrivedAt: from.arrivedAt }
  return inWasm(Records.pack(whole, all, true))
    .pick(stay)
    .withReceipt(from.receipt)
}

/** Records with something between them that belongs to none. */
function apart(from: Provenance, texts: readonly string[]): Records {
  const framed = Records.pack(from, texts)
  const gap = Buffer.from('--gap--')
  const bytes = Buffer.concat([...framed].flatMap((one) => [gap, one]))
  const starts = new Uint32Array(texts.length)
  const ends = new Uint32Array(texts.length)
  let at = 0
  for (const [i, one] of [...framed].entries()) {
    starts[i] = at + gap.length
    at += gap.length + one.length
    ends[i] = at
  }
  return Records.spans(from, bytes, starts, ends)
}

const contents = (batch: Batch): string[] => Array.from(batch, String)

t.test('bytes: exact, separators included, checked before the record is added', async (t) => {
  const { batcher, batches, add } = setup({ maxBytes: 12 })
  add(['12345', '12345'])
  t.same(batches.map(contents), [['12345', '12345']], 'twelve bytes are full at once')
  add(['12345', '123456', '€€', '1'])
  t.same(batches.slice(1).map(contents), [['12345'], ['123456']], 'a record that does not fit opens the next batch')
  add(['1'])
  t.equal(batches.length, 3, 'ten bytes of twelve stay open')
  batcher.flush('flush')
  t.same(
    batches.slice(3).map((batch) => [contents(batch), batch.closedBy, batch.byteLength]),
    [[['€€', '1', '1'], 'flush', 8]],
  )
  t.same(
    batches.slice(0, 3).map(({ closedBy }) => closedBy),
    ['bytes', 'bytes', 'bytes'],
  )
})

t.test('a record larger than a batch goes alone', async (t) => {
  const { batches, add } = setup({ maxBytes: 5 })
  add(['1', '123456789', '22'])
  t.same(batches.map(contents), [['1'], ['123456789']])
})

t.test('what a format adds to the whole counts too', async (t) => {
  const { batches, add } = setup({ maxBytes: 10 }, { overhead: { record: 1, batch: 1 } })
  add(['"ab"', '12', '1', '1'])
  // ["ab",12] is nine bytes and one more; a third value would make eleven.
  t.same(batches.map(contents), [['"ab"', '12']])
})

t.test('records', async (t) => {
  const { batches, add } = setup({ maxRecords: 2 })
  add(['a', 'b', 'c'])
  add(['d', 'e'])
  t.same(
    batches.map((batch) => [contents(batch), batch.closedBy]),
    [
      [['a', 'b'], 'records'],
      [['c', 'd'], 'records'],
    ],
  )
})

t.test('age: from the first record, on an idle stream, with one timer', async (t) => {
  const { clock, batches, add } = setup({ maxAge: 100 }, { key: beforeColon })
  add(['a:1'])
  clock.advance(60)
  add(['b:1', 'a:2'])
  t.equal(clock.waiting, 1)
  clock.advance(39)
  t.equal(batches.length, 0)
  clock.advance(1)
  t.same(
    batches.map((batch) => [contents(batch), batch.closedBy]),
    [[['a:1', 'a:2'], 'age']],
  )
  t.equal(clock.waiting, 1)
  clock.turnWall(-1_000_000)
  clock.advance(60)
  t.same(batches.slice(1).map(contents), [['b:1']], 'setting the wall clock changes nothing')
  t.equal(clock.waiting, 0, 'no timer is left')
  t.equal(batches[0]?.oldestArrival, Date.UTC(2024, 1, 29, 12))
})

t.test('age 0 closes with every run', async (t) => {
  const { clock, batches, add } = setup({ maxAge: 0 })
  add(['a', 'b'])
  add(['c'])
  t.same(batches.map(contents), [['a', 'b'], ['c']])
  t.equal(clock.waiting, 0)
})

t.test('keys: the oldest batch is closed when there are too many', async (t) => {
  const { batches, add, batcher } = setup({ maxOpenKeys: 2 }, { key: beforeColon })
  add(['a:1', 'b:1', 'a:2', 'c:1', 'a:3'])
  t.same(
    batches.map((batch) => [contents(batch), batch.closedBy, batch.key, batch.partitionKeys]),
    [
      [['a:1', 'a:2'], 'keys', 'a', { first: 'a' }],
      [['b:1'], 'keys', 'b', { first: 'b' }],
    ],
  )
  t.equal(batcher.openBatches, 2)
})

t.test(
  'keys: the oldest batch is the one whose first record came first, also after runs that were added key by key',
  async (t) => {
    const { batches, add } = setup({ maxOpenKeys: 2, maxRecords: 3 }, { key: beforeColon })
    add(['a:1', 'b:1', 'a:2', 'b:2', 'a:3', 'a:4'])
    t.same(batches.map(contents), [['a:1', 'a:2', 'a:3']])
    add(['c:1'])
    t.same(batches.slice(1).map(contents), [['b:1', 'b:2']], 'b was opened before a was opened again')
  },
)

t.test('memory: the oldest batch is closed when all together hold too much', async (t) => {
  const { batches, batcher, add } = setup({ maxOpenBytes: 64 * 1024 }, { key: beforeColon })
  const long = 'x'.repeat(2000)
  for (let i = 0; i < 100; i += 1) {
    add([`${i % 50}:${long}`])
    if (batcher.openBytes > 64 * 1024) t.fail(`${batcher.openBytes} bytes are held`)
  }
  t.ok(batches.length > 0)
  t.ok(batches.every(({ closedBy }) => closedBy === 'memory'))
  t.same(batches.map(({ key }) => key).slice(0, 3), ['0', '1', '2'])
})

t.test('memory: a batch larger than the usual bound is closed by its bytes', async (t) => {
  const maxBytes = 70 * MiB
  const { batches, batcher, account } = setup({ ...batchLimits({ maxBytes }), maxAge: 1_000_000 })
  const chunk = Buffer.alloc(MiB, 'x')
  for (let i = 0; i < 71; i += 1) {
    batcher.add(Records.framed({ receipt: account.open(1, 0), arrivedAt: 0 }, chunk, 0, Uint32Array.of(MiB - 1)))
  }
  t.same(
    batches.map(({ closedBy, length }) => [closedBy, length]),
    [['bytes', 70]],
  )
})

t.test('memory: batches count with what they take beside their records', async (t) => {
  const { batcher, add } = setup({ maxOpenBytes: 1024 * 1024 }, { key: beforeColon })
  add(Array.from({ length: 2_000 }, (_, i) => `${i}:`))
  t.ok(batcher.openBatches < 512, `${batcher.openBatches} keys are open`)
  t.ok(batcher.openBatches > 100)
  batcher.flush('end')
  t.equal(batcher.openBytes, 0)
})

t.test('a batch with a key does not keep the chunks that its records came in', async (t) => {
  const { batches, batcher, account, clock } = setup({}, { key: beforeColon })
  for (let i = 0; i < 10; i += 1) {
    const chunk = Records.pack({ receipt: account.open(2, 0), arrivedAt: clock.wall() }, [
      `a:${i}`,
      `b:${'x'.repeat(100_000)}`,
    ])
    batcher.add(chunk.slice(0, 1))
    chunk.slice(1, 2).receipt.settle('dropped', 1)
  }
  batcher.flush('end')
  const [batch] = batches
  const memory = new Set(batch?.runs.map(({ bytes }) => bytes.buffer))
  t.ok([...memory].reduce((sum, { byteLength }) => sum + byteLength, 0) < 10_000)
})

t.test('a filter that leaves little does not keep the chunk either', async (t) => {
  const { batches, batcher, account, clock } = setup({})
  const from = { receipt: account.open(100, 0), arrivedAt: clock.wall() }
  const chunk = Records.pack(
    from,
    Array.from({ length: 100 }, (_, i) => `${i}${'x'.repeat(1000)}`),
  )
  batcher.add(chunk.pick([3, 50]))
  batcher.flush('end')
  t.not(batches[0]?.runs[0]?.bytes.buffer, chunk.bytes.buffer)
  t.match(batches.map(contents), [[/^3x/, /^50x/]])
})

t.test('what a filter has left is copied out of its chunk, which is free then', async (t) => {
  const { account, batcher, batches, clock } = setup({})
  // One is longer than what is gathered at a time.
  const texts = Array.from({ length: 500 }, (_, i) => `${i}:${'x'.repeat(i === 250 ? 300_000 : i % 50)}`)
  const memory = new RecordMemory()
  const receipt = account.open(texts.length + 1, clock.wall(), { memory })
  const freed: string[] = []
  const chunkLease = new Lease(() => void freed.push('chunk'))
  receipt.hold(chunkLease)
  chunkLease.release()
  const run = filtered({ receipt, arrivedAt: clock.wall() }, texts, 3_000)
  batcher.add(run)
  t.same(freed, [], 'another record of the receipt is pending')
  batcher.flush('flush')
  t.same(batches.flatMap(contents), texts)
  for (const batch of batches.splice(0)) batch.settle('delivered')

  receipt.settle('dropped', 1)
  t.same(freed, ['chunk'])
  const again = account.open(texts.length, clock.wall(), { memory })
  const lease = new Lease(() => void freed.push('chunk again'))
  again.hold(lease)
  lease.release()
  const rest = filtered({ receipt: again, arrivedAt: clock.wall() }, texts, 3_000)
  batcher.add(rest)
  t.same(freed, ['chunk', 'chunk again'], 'before the records have ended')
  rest.bytes.fill('?')
  batcher.flush('flush')
  t.same(batches.flatMap(contents), texts)
  for (const batch of batches) batch.settle('delivered')
  t.equal(account.pending, 0)
})

t.test('records without a key fail, with the reason', async (t) => {
  const { batches, batcher, failed, account, add } = setup({}, { key: beforeColon })
  add(['a:1', 'none', 'a:2', ':3'])
  batcher.flush('end')
  t.same(batches.map(contents), [['a:1', 'a:2']])
  t.same(
    failed.map(({ records }) => Array.from(records, String)),
    [['none', ':3']],
  )
  t.match(failed[0]?.reason(0), { code: 'DynamicPartitioning.MetadataExtractionFailed', message: 'no key' })
  conserves(t, account.counts())
})

t.test('a key that is made of values, and its parts, never see their JSON', async (t) => {
  const key = compileKey({ at: json(({ at }: { at: Date }) => at.getTime()) })
  const { batches, batcher, account, failed } = setup({}, { key })
  const values = [5, 5, 7].map((time) => ({ at: new Date(time) }))
  batcher.add(Records.values({ receipt: account.open(values.length, 0), arrivedAt: 0 }, values))
  batcher.flush('end')
  t.same(failed, [])
  t.same(
    batches.map((batch) => [batch.key, batch.partitionKeys, batch.length]),
    [
      ['5', { at: '5' }, 2],
      ['7', { at: '7' }, 1],
    ],
  )
  t.same(batches.flatMap(contents).at(-1), '{"at":"1970-01-01T00:00:00.007Z"}')
})

t.test('values without a JSON form fail, and the others are batched', async (t) => {
  const { batches, batcher, failed, account, clock } = setup({})
  batcher.add(Records.values({ receipt: account.open(3, 0), arrivedAt: clock.wall() }, [{ a: 1 }, { b: 1n }, { c: 3 }]))
  batcher.flush('end')
  t.same(batches.map(contents), [['{"a":1}', '{"c":3}']])
  t.match(failed[0]?.reason(0), { code: 'Transform.NotSerialisable' })
  t.match(String(failed[0]?.records.at(0)), /b: 1n/)
})

/** What a batcher has to do: the slow and obvious way. */
class Model {
  readonly closed: { readonly key: string; readonly texts: string[]; readonly why: string }[] = []
  readonly #open: { readonly key: string; readonly texts: string[]; bytes: number; readonly at: number }[] = []
  readonly #limits: BatchLimits
  now = 0

  constructor(limits: BatchLimits) {
    this.#limits = limits
  }

  add(key: string, text: string): void {
    const cost = Buffer.byteLength(text) + 1
    const found = this.#open.find((batch) => batch.key === key)
    if (found !== undefined && found.bytes + cost > this.#limits.maxBytes) this.#close(found, 'bytes')
    let batch = this.#open.find((open) => open.key === key)
    if (batch === undefined) {
      const [oldest] = this.#open
      if (oldest !== undefined && this.#open.length >= this.#limits.maxOpenKeys) this.#close(oldest, 'keys')
      batch = { key, texts: [], bytes: 0, at: this.now }
      this.#open.push(batch)
    }
    batch.texts.push(text)
    batch.bytes += cost
    if (batch.texts.length >= this.#limits.maxRecords) this.#close(batch, 'records')
    else if (batch.bytes >= this.#limits.maxBytes) this.#close(batch, 'bytes')
  }

  advance(ms: number): void {
    this.now += ms
    for (const batch of [...this.#open]) if (batch.at + this.#limits.maxAge <= this.now) this.#close(batch, 'age')
  }

  flush(why: string): void {
    for (const batch of [...this.#open]) this.#close(batch, why)
  }

  #close(batch: object, why: string): void {
    const index = this.#open.findIndex((open) => Object.is(open, batch))
    const [open] = this.#open.splice(index, 1)
    if (open !== undefined) this.closed.push({ key: open.key, texts: open.texts, why })
  }
}

t.test('does what the model does, whatever happens', async (t) => {
  const word = fc
    .oneof(fc.string({ maxLength: 12, unit: 'grapheme' }), fc.constantFrom('', '€', '😀', '"\\n"'))
    .map((one) => one.replaceAll(':', ''))
  const record = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), word)
  const action = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        add: fc.oneof(
          fc.array(record, { minLength: 1, maxLength: 12 }),
          fc.array(record, { minLength: 20, maxLength: 40 }),
        ),
        layout: fc.constantFrom(...laidOut),
      }),
    },
    { weight: 2, arbitrary: fc.record({ advance: fc.integer({ min: 0, max: 60 }) }) },
    { weight: 1, arbitrary: fc.constant('flush' as const) },
  )
  const limits = fc.record({
    maxBytes: fc.integer({ min: 1, max: 60 }),
    maxRecords: fc.integer({ min: 1, max: 6 }),
    maxAge: fc.integer({ min: 1, max: 100 }),
    maxOpenKeys: fc.integer({ min: 1, max: 6 }),
  })
  fc.assert(
    fc.property(limits, fc.boolean(), fc.array(action, { maxLength: 30 }), (bounds, keyed, actions) => {
      const all = { ...unbounded, ...bounds }
      const { clock, account, batcher, batches, add } = setup(all, keyed ? { key: beforeColon } : {})
      const model = new Model(all)
      let added = 0
      for (const one of [...actions, 'flush' as const]) {
        if (one === 'flush') {
          batcher.flush('flush')
          model.flush('flush')
        } else if ('advance' in one) {
          clock.advance(one.advance)
          model.advance(one.advance)
        } else {
          const texts = one.add.map(([key, rest]) => `${key}:${rest}`)
          added += texts.length
          add(texts, one.layout)
          for (const [i, [key]] of one.add.entries()) model.add(keyed ? key : '', texts[i] ?? '')
        }
        const got = batches.map((batch) => ({
          key: batch.key ?? '',
          texts: contents(batch),
          why: String(batch.closedBy),
        }))
        if (JSON.stringify(sorted(got)) !== JSON.stringify(sorted(model.closed))) {
          throw new Error(`got ${JSON.stringify(got)}\nmodel ${JSON.stringify(model.closed)}`)
        }
        if (clock.waiting > 1) throw new Error(`${clock.waiting} timers`)
        if (account.pending !== added) throw new Error('a record ended in the batcher')
      }
      for (const batch of batches) batch.settle('delivered')
      if (account.counts().delivered !== added || account.pending !== 0) throw new Error('a record was lost')
      if (clock.waiting !== 0) throw new Error('a timer is left')
    }),
    { numRuns: 500 },
  )
  t.pass('500 random histories')
})

t.test(
  'whatever the runs, no record is lost, moved within its key or taken for another, and memory is bounded',
  async (t) => {
    const record = fc.tuple(
      fc.oneof({ weight: 30, arbitrary: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f') }, fc.constant('')),
      fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0, max: 20 }) }, fc.integer({ min: 150, max: 700 })),
    )
    const run = fc.record({
      records: fc.array(record, { minLength: 1, maxLength: 80 }),
      layout: fc.constantFrom(...layouts),
      isMerged: fc.boolean(),
    })
    const limits = fc.record({
      maxBytes: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 200, max: 5_000 })),
      maxRecords: fc.integer({ min: 1, max: 60 }),
      maxOpenKeys: fc.integer({ min: 1, max: 7 }),
      maxOpenBytes: fc.integer({ min: 5_000, max: 40_000 }),
    })
    fc.assert(
      fc.property(limits, fc.integer({ min: 0, max: 3 }), fc.array(run, { maxLength: 12 }), (bounds, each, runs) => {
        const overhead = { record: each, batch: 2 }
        const { account, batcher, batches, failed, clock } = setup(bounds, { key: beforeColon, overhead })
        const came = new Map<string, string[]>()
        const receipts = new Map<string, Receipt>()
        for (const [number, { records, layout, isMerged }] of runs.entries()) {
          const texts = records.map(([key, length], i) => `${key}:${number}.${i}${'x'.repeat(length)}`)
          const owners = texts.map(() => account.open(isMerged ? 1 : 0, 0))
          const whole = account.open(isMerged ? 0 : texts.length, 0)
          const merger = new ReceiptMerger()
          for (const [i, text] of texts.entries()) {
            const owner = isMerged ? (owners[i] ?? whole) : whole
            merger.add(owner, 1)
            // As a value it becomes JSON, with quotes around it.
            const form = layout === 'values' ? JSON.stringify(text) : text
            const key = form.slice(0, form.indexOf(':'))
            receipts.set(form, owner)
            came.set(key, [...(came.get(key) ?? []), form])
          }
          const from = { receipt: merger.merged(), arrivedAt: clock.wall() }
          const before = failed.length
          const run = runOf(from, texts, layout)
          batcher.add(run)
          // Nobody looks at what was copied: the next chunk may be read there.
          if (failed.length === before && layout !== 'values') run.bytes.fill('?')
          if (batcher.openBytes > bounds.maxOpenBytes) throw new Error(`${batcher.openBytes} bytes are held`)
          if (batcher.openBatches > bounds.maxOpenKeys) throw new Error(`${batcher.openBatches} keys are open`)
        }
        batcher.flush('end')
        if (batcher.openBytes !== 0) throw new Error(`${batcher.openBytes} bytes are held by nothing`)
        const left = new Map<string, string[]>()
        for (const batch of batches) {
          const texts = contents(batch)
          const key = batch.key ?? ''
          left.set(key, [...(left.get(key) ?? []), ...texts])
          const bytes = texts.reduce((sum, text) => sum + text.length + each, 2)
          if (texts.length > bounds.maxRecords || (bytes > bounds.maxBytes && texts.length > 1)) {
            throw new Error(`${texts.length} records, ${bytes} bytes in a batch`)
          }
          if (texts.length === 0) throw new Error('an empty batch')
          if (batch.closedBy === 'records' && texts.length < bounds.maxRecords) throw new Error('closed too early')
          let index = 0
          for (const { receipt, length } of batch.runs) {
            for (let i = 0; i < length; i += 1, index += 1) {
              if (receipt.at(i) !== receipts.get(texts[index] ?? '')) throw new Error('the receipt of another record')
            }
          }
          batch.settle('delivered')
        }
        for (const { records } of failed) {
          for (const text of records) left.set('', [...(left.get('') ?? []), String(text)])
          records.receipt.settle('dropped', records.length)
        }
        // A value without a key has the quote before its colon.
        const order = (keys: Map<string, string[]>) => [...keys].sort(([a], [b]) => (a < b ? -1 : 1))
        if (JSON.stringify(order(left)) !== JSON.stringify(order(came))) {
          throw new Error(`left ${JSON.stringify(order(left))}\ncame ${JSON.stringify(order(came))}`)
        }
        for (const receipt of receipts.values()) if (receipt.pending !== 0) throw new Error('a record did not end')
      }),
      { numRuns: 300 },
    )
    t.pass('300 random histories')
  },
)

t.test('a long run is added in parts, as if it were one', async (t) => {
  for (const withoutKey of [[], [3, 9_000, 17_000]]) {
    const { account, batcher, batches, failed, clock } = setup({}, { key: beforeColon })
    const memory = new RecordMemory()
    // A new key comes now and then, later ones with letters that come first.
    const keyOf = (i: number): string => String.fromCharCode(122 - Math.floor(i / 1_000) + (i % 2))
    const texts = Array.from({ length: 20_000 }, (_, i) => `${withoutKey.includes(i) ? '' : keyOf(i)}:${i}`)
    const receipt = account.open(texts.length, clock.wall(), { memory })
    let isFree = false
    const lease = new Lease(() => {
      isFree = true
    })
    receipt.hold(lease)
    lease.release()
    const run = inWasm(Records.pack({ receipt, arrivedAt: clock.wall() }, texts, true))
    batcher.add(run)
    t.equal(isFree, withoutKey.length === 0, 'the chunk is needed for records that have failed, and for no others')
    if (isFree) run.bytes.fill('?')
    batcher.flush('flush')
    const keys = texts.map((text) => text.split(':')[0] ?? '').filter((key) => key !== '')
    t.same(
      batches.map(({ key }) => key),
      [...new Set(keys)],
      'opened in the order in which their first records came',
    )
    for (const batch of batches) {
      t.same(
        contents(batch),
        texts.filter((text) => text.startsWith(`${batch.key}:`)),
      )
      t.same(batch.partitionKeys, { first: batch.key })
      batch.settle('delivered')
    }
    t.same(
      failed.flatMap(({ records }) => Array.from(records, String)),
      withoutKey.map((i) => `:${i}`),
    )
    for (const { records } of failed) records.receipt.settle('backedUp', records.length)
    t.equal(account.pending, 0)
    t.ok(isFree)
  }
})

t.test('whoever takes a batch may add its records to another batcher at once', async (t) => {
  const firstLetter: KeyReader = { keyOf: (records, i) => records.text(i).slice(0, 1), partsOf: () => ({}) }
  const secondLetter: KeyReader = { keyOf: (records, i) => records.text(i).slice(1, 2), partsOf: () => ({}) }
  const inner = setup({}, { key: secondLetter })
  const account = new Account()
  const outer = new Batcher({
    hose: 'test',
    limits: { ...unbounded, maxBytes: 300 },
    overhead: { record: 1, batch: 0 },
    key: firstLetter,
    clock: new ManualClock(),
    onBatch: ({ runs }) => {
      for (const run of runs) inner.batcher.add(run)
    },
    onFailed: ({ length }) => t.fail(`${length} failed`),
  })
  const texts = Array.from({ length: 1_000 }, (_, i) => `${'abc'[i % 3]}${'xyzw'[(i * 7) % 4]}${i}`)
  for (let from = 0; from < texts.length; from += 250) {
    const some = texts.slice(from, from + 250)
    outer.add(Records.pack({ receipt: account.open(some.length, 0), arrivedAt: 0 }, some, true))
  }
  outer.flush('end')
  inner.batcher.flush('end')
  t.equal(inner.batches.length, 4)
  for (const batch of inner.batches) {
    const expected = texts.filter((text) => text[1] === batch.key)
    t.same(contents(batch).sort(), expected.sort())
    batch.settle('delivered')
  }
  t.equal(account.pending, 0)
})

/** Batches of different keys that are closed by the same run may come in another order than in the model. */
function sorted<Closed extends { readonly key: string }>(closed: readonly Closed[]): Closed[] {
  return closed.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
}
