import fc from 'fast-check'
import t from 'tap'
import { Account, type Receipt } from '../src/receipts.ts'
import { RecordMemory } from '../src/record-memory.ts'
import { Records } from '../src/records.ts'

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
