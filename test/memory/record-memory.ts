import fc from 'fast-check'
import t from 'tap'
import type { Batch } from '../../src/batch/batch.ts'
import { Batcher } from '../../src/batch/batcher.ts'
import { Lease } from '../../src/memory/lease.ts'
import { RecordMemory } from '../../src/memory/record-memory.ts'
import { ReceiptMerger } from '../../src/receipts/merged-receipts.ts'
import { Account, type Origin, type Receipt } from '../../src/receipts/receipts.ts'
import { Records } from '../../src/records/records.ts'
import { ManualClock } from '../support/manual-clock.ts'

const usualBytes = 524_288

/** Writes `length` times the same byte, and says where it stands. */
function write(memory: RecordMemory, receipt: Receipt, length: number, byte: number): Buffer {
  const room = memory.take(length)
  room.bytes.fill(byte, 0, length)
  return room.keep(length, receipt)
}

t.test('what was kept stays as it is until its receipt is settled', async () => {
  const step = fc.record({
    length: fc.integer({ min: 0, max: usualBytes + 10 }),
    wanted: fc.integer({ min: 0, max: 2 * usualBytes }),
    isLeft: fc.boolean(),
    /** Which of the open receipts it is for, and whether that is settled afterwards. */
    receipt: fc.nat(5),
    settles: fc.boolean(),
  })
  await fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const memory = new RecordMemory()
      const account = new Account()
      const open = new Map<number, { readonly receipt: Receipt; readonly kept: [Buffer, number][] }>()
      for (const [i, { length, wanted, isLeft, receipt: which, settles }] of steps.entries()) {
        const entry = open.get(which) ?? { receipt: account.open(1, 0, { memory }), kept: [] }
        open.set(which, entry)
        const room = memory.take(Math.max(length, wanted))
        // Meanwhile somebody else writes, too.
        entry.kept.push([write(memory, entry.receipt, 100, i + 1), i + 1])
        room.bytes.fill(i, 0, length)
        if (isLeft) room.leave()
        else entry.kept.push([room.keep(length, entry.receipt), i])
        for (const { kept } of open.values()) for (const [bytes, byte] of kept) mustBeAll(bytes, byte)
        if (settles) {
          entry.receipt.settle('delivered', 1)
          open.delete(which)
        }
      }
    }),
    { numRuns: 100 },
  )
})

function mustBeAll(bytes: Buffer, byte: number): void {
  if (bytes.some((each) => each !== byte)) throw new Error(`${byte} was written over`)
}

t.test('a slab is written again when all who held it have ended, and not before', async (t) => {
  const memory = new RecordMemory()
  const account = new Account()
  const [one, two] = [account.open(2, 0, { memory }), account.open(1, 0, { memory })]
  const { buffer } = write(memory, one, 300_000, 1)
  t.equal(write(memory, two, 200_000, 2).buffer, buffer, 'both are in one slab')
  const three = account.open(1, 0, { memory })
  const second = write(memory, three, usualBytes, 3).buffer
  t.not(second, buffer, 'there was no room left')
  one.settle('dropped', 1)
  two.settle('delivered', 1)
  const four = account.open(1, 0, { memory })
  t.notOk([buffer, second].includes(write(memory, four, usualBytes, 4).buffer), 'one record of the first is pending')
  one.settle('backedUp', 1)
  const five = account.open(1, 0, { memory })
  t.equal(write(memory, five, usualBytes, 5).buffer, buffer)
})

t.test('larger room than a slab has is not kept, and receipts that have ended hold nothing', async (t) => {
  const memory = new RecordMemory()
  const account = new Account()
  const receipt = account.open(1, 0, { memory })
  const large = write(memory, receipt, usualBytes + 1, 1).buffer
  receipt.settle('delivered', 1)
  const next = account.open(1, 0, { memory })
  t.not(write(memory, next, usualBytes + 1, 2).buffer, large)
  const none = account.open(0, 0, { memory })
  const first = write(memory, none, usualBytes, 3).buffer
  t.equal(write(memory, next, usualBytes, 4).buffer, first)
})

t.test('records are written there when their receipt says so, each branch of a fork for itself', async (t) => {
  const memory = new RecordMemory()
  const receipt = new Account().open(3, 0, { memory })
  const values = ['"ü"', { a: 1 }, [2]]
  const made = Records.values({ receipt, arrivedAt: 0 }, values)
  t.equal(made.bytes.toString(), '"\\"ü\\""\n{"a":1}\n[2]\n')
  const branches = receipt.fork(3, [new Account(), new Account()])
  const [left, right] = branches.map((branch) => Records.values({ receipt: branch, arrivedAt: 0 }, values).bytes)
  const packed = Records.pack({ receipt, arrivedAt: 0 }, ['a', Buffer.from('b')])
  t.same([packed.bytes.toString(), ...packed].map(String), ['a\nb\n', 'a', 'b'])
  for (const { buffer } of [left, right, packed.bytes].flatMap((bytes) => bytes ?? []))
    t.equal(buffer, made.bytes.buffer)
  t.not(Records.values({ receipt: new Account().open(3, 0), arrivedAt: 0 }, values).bytes.buffer, made.bytes.buffer)
})

t.test('text that outgrows its room moves with what was written', async (t) => {
  const memory = new RecordMemory()
  const receipt = new Account().open(40, 0, { memory })
  for (const letter of ['a', 'ü', '漢']) {
    const values = Array.from({ length: 40 }, (_, i) => letter.repeat(i * 700))
    const made = Records.values({ receipt, arrivedAt: 0 }, values)
    t.same(
      [...made].map((bytes) => JSON.parse(String(bytes))),
      values,
    )
  }
})

t.test('what is lent comes back, by its size, when every holder has let go of it', async (t) => {
  for (const size of [1, 1024, 16_384, 32_768, 1_048_576]) {
    const memory = new RecordMemory()
    const account = new Account()
    const first = memory.lend(size)
    const second = memory.lend(size + 1)
    t.equal(first?.bytes.length, Math.max(1024, size))
    t.equal(second?.bytes.length, size === 1 ? 1024 : size === 1_048_576 ? undefined : size * 2)
    const receipts = [account.open(1, 0, { memory }), account.open(1, 0, { memory })]
    for (const receipt of receipts) if (first !== undefined) receipt.hold(first.lease)
    first?.lease.release()
    second?.lease.release()
    if (second !== undefined) t.equal(memory.lend(size + 1)?.bytes, second.bytes)
    receipts[0]?.settle('delivered', 1)
    t.not(memory.lend(size)?.bytes, first?.bytes, 'the other record is pending')
    receipts[1]?.settle('dropped', 1)
    t.equal(memory.lend(size)?.bytes, first?.bytes)
  }
})

t.test('small pieces lie side by side, and none in another', async () => {
  const memory = new RecordMemory()
  const sizes = Array.from({ length: 400 }, (_, i) => 1 + ((i * 7_919) % 20_000))
  const lent = sizes.map((size, i) => {
    const bytes = memory.lend(size)?.bytes ?? Buffer.alloc(0)
    if (bytes.length < size) throw new Error(`${bytes.length} bytes for ${size}`)
    return bytes.fill(i % 256)
  })
  for (const [i, bytes] of lent.entries()) mustBeAll(bytes, i % 256)
})

t.test('records of several receipts hold their memory together', async (t) => {
  const account = new Account()
  const [one, two] = [account.open(3, 0), account.open(2, 0)]
  let freed = 0
  const lease = () =>
    new Lease(() => {
      freed += 1
    })
  const merged = (first: Lease): Origin => {
    const merger = new ReceiptMerger()
    merger.add(one, 1)
    merger.add(two, 1)
    return merger.merged(first)
  }
  const whole = merged(lease())
  whole.settle('delivered', 2)
  t.equal(freed, 1)

  const parted = merged(lease())
  const [left, right] = [parted.slice(0, 1), parted.pick([1])]
  left.settle('delivered', 1)
  t.equal(freed, 1, 'the other one is pending')
  right.settle('backedUp', 1)
  t.equal(freed, 2)

  const merger = new ReceiptMerger()
  merger.add(one, 1)
  merger.merged(lease()).settle('delivered', 1)
  t.equal(freed, 3, 'of one receipt, too')

  const [three, four] = [account.open(1, 0), account.open(1, 0)]
  const pair = new ReceiptMerger()
  pair.add(three, 1)
  pair.add(four, 1)
  const shared = pair.merged(lease())
  const expanded = shared.pick([0, 0])
  three.expand(1)
  expanded.settle('delivered', 2)
  t.equal(freed, 3, 'two of one record do not stand for another')
  shared.slice(1, 2).settle('delivered', 1)
  t.equal(freed, 3, 'then it is not counted any more')
  t.equal(account.pending, 0)
})

t.test('branches hold the memory of their records until the last of them has ended', async (t) => {
  const account = new Account()
  const merger = new ReceiptMerger()
  for (let i = 0; i < 2; i += 1) merger.add(account.open(1, 0), 1)
  let freed = 0
  const lease = new Lease(() => {
    freed += 1
  })
  const branches = merger.merged(lease).fork(2, [new Account(), new Account()])
  t.equal(freed, 0)
  branches[0]?.settle('delivered', 2)
  t.equal(freed, 0, 'the other branch still looks at it')
  t.equal(account.pending, 2)
  branches[1]?.slice(0, 1).settle('delivered', 1)
  t.equal(freed, 0)
  branches[1]?.slice(1, 2).settle('backedUp', 1)
  t.equal(freed, 1)
  t.equal(account.pending, 0)
})

t.test('stages share memory as long as one of them is there', async (t) => {
  const shared = RecordMemory.shared()
  t.equal(RecordMemory.shared(), shared)
})

t.test('the records of a key are copied to memory that comes round again', async (t) => {
  const memory = new RecordMemory()
  const account = new Account()
  const closed: Batch[] = []
  const limits = { maxBytes: 100_000, maxRecords: 1e9, maxAge: 1e9, maxOpenBytes: 1e9, maxOpenKeys: 9 }
  const batcher = new Batcher({
    hose: 'test',
    limits,
    overhead: { record: 1, batch: 0 },
    key: { keyOf: (records, i) => records.text(i).slice(0, 1), partsOf: () => ({}) },
    clock: new ManualClock(),
    onBatch: (batch) => void closed.push(batch),
    onFailed: (failed) => t.fail(`${failed.length} failed`),
  })
  const seen = new Set<ArrayBufferLike>()
  let [made, delivered, pieces] = [0, 0, 0]
  const deliver = (batch: Batch | undefined): void => {
    for (const run of batch?.runs ?? []) {
      for (const record of run) {
        // Each says its number, and repeats it up to its end.
        const [, number = ''] = /^[a-z](\d+)/.exec(String(record)) ?? []
        if (!/^[a-z](\d+)(?: \1)*$/.test(String(record))) t.fail(`record ${number} was written over`)
        delivered += 1
      }
      if (run.bytes.length >= 32_768) {
        seen.add(run.bytes.buffer)
        pieces += 1
      }
    }
    batch?.settle('delivered')
  }
  for (let chunk = 0; chunk < 800; chunk += 1) {
    const items = Array.from({ length: 60 }, (_, i) => {
      made += 1
      return `${'abc'[(i * i) % 3]}${`${made} `.repeat(1 + ((i * 7) % 60)).trim()}`
    })
    // Now and then one comes from elsewhere, whose memory nobody may write over.
    const receipt = chunk % 50 === 49 ? account.open(60, 0) : account.open(60, 0, { memory })
    batcher.add(Records.pack({ receipt, arrivedAt: 0 }, items, chunk % 3 > 0))
    // Two batches wait for their answers.
    while (closed.length > 2) deliver(closed.shift())
  }
  batcher.flush('end')
  for (const batch of closed) deliver(batch)
  t.equal(delivered, made)
  t.equal(account.counts().pending, 0)
  t.ok(pieces > 20, `${pieces} pieces`)
  t.ok(seen.size < pieces / 2, `${seen.size} of them made`)
})
