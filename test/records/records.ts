import { deepStrictEqual } from 'node:assert'
import fc from 'fast-check'
import t from 'tap'
import { Checkpoints } from '../../src/receipts/checkpoints.ts'
import { MergedReceipts, ReceiptMerger } from '../../src/receipts/merged-receipts.ts'
import { Account, type Receipt } from '../../src/receipts/receipts.ts'
import { copyFramed } from '../../src/records/copy-framed.ts'
import { Packer } from '../../src/records/packer.ts'
import { type Provenance, Records } from '../../src/records/records.ts'
import { serialise } from '../../src/records/serialise.ts'

const open = (count: number): Provenance => ({ receipt: new Account().open(count, 0), arrivedAt: 0 })
const record = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 10 }), fc.constantFrom('', '\n', 'é', '😀'))

/** The same texts in every layout that a run may have. */
function layouts(texts: readonly string[]): Records[] {
  const framed = Records.pack(open(texts.length), texts)
  // Every second record of a longer run: the same texts with others in between.
  const between = Records.pack(
    open(texts.length * 2),
    texts.flatMap((one) => [one, 'between']),
  )
  const picked = between.pick(texts.map((_, i) => i * 2))
  const middle = Records.pack(open(texts.length + 2), ['before', ...texts, 'behind']).slice(1, texts.length + 1)
  return [framed, picked, middle, picked.compact(), framed.withoutValues()]
}

t.test('a run says the same of its records in every layout', async (t) => {
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 12 }),
      fc.nat(12),
      fc.nat(12),
      fc.nat(60),
      (texts, a, b, room) => {
        const [from, to] = [Math.min(a, b, texts.length), Math.min(Math.max(a, b), texts.length)]
        const sizes = texts.map((one) => Buffer.byteLength(one))
        const cost = (start: number, end: number, each: number): number =>
          sizes.slice(start, end).reduce((sum, size) => sum + size + each, 0)
        let fits = from
        while (fits < to && cost(from, fits + 1, 1) <= room) fits += 1
        for (const run of layouts(texts)) {
          const facts = {
            texts: Array.from(run, String),
            text: run.text(0),
            byteLength: run.byteLength,
            cost: run.cost(from, to, 3),
            fit: run.fit(from, to, room, 1),
            slice: Array.from(run.slice(from, to), String),
            pick: Array.from(run.pick([to - 1, 0].filter((i) => i >= 0)), String),
            framed: run.isFramed
              ? String(run.framedBytes(from, to) ?? '')
              : texts
                  .slice(from, to)
                  .map((one) => `${one}\n`)
                  .join(''),
          }
          const wanted = {
            texts,
            text: texts[0],
            byteLength: cost(0, texts.length, 0),
            cost: cost(from, to, 3),
            fit: fits - from,
            slice: texts.slice(from, to),
            pick: [to - 1, 0].filter((i) => i >= 0).map((i) => texts[i]),
            framed: texts
              .slice(from, to)
              .map((one) => `${one}\n`)
              .join(''),
          }
          if (JSON.stringify(facts) !== JSON.stringify(wanted))
            throw new Error(`${JSON.stringify(facts)} is not ${JSON.stringify(wanted)}`)
        }
      },
    ),
    { numRuns: 500 },
  )
  t.pass('500 random runs')
})

t.test('values have bytes when somebody asks', async (t) => {
  const run = Records.values(open(3), [{ a: 'é' }, 'text', null])
  t.notOk(run.hasBytes)
  t.same(run.json(0), { a: 'é' })
  t.notOk(run.hasBytes, 'looking at a value makes no bytes')
  t.same(Array.from(run, String), ['{"a":"é"}', '"text"', 'null'])
  t.ok(run.hasBytes)
  t.same(run.slice(1, 3).json(0), 'text')
  t.equal(run.withoutValues().parsed, undefined)
  t.throws(() => Records.values(open(1), [1n]).bytes, {
    code: 'Transform.NotSerialisable',
    message: /record 0 has no JSON form/,
  })
})

t.test('serialise: one text, the ends where JSON.stringify has them', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.jsonValue(), fc.constant(1n), fc.constant(undefined)), { maxLength: 20 }),
      (values) => {
        const { bytes, ends, bad } = serialise(values)
        const good = values
          .filter((value) => typeof value !== 'bigint' && value !== undefined)
          .map((value) => JSON.stringify(value))
        const got = Array.from(ends, (end, i) => bytes.toString('utf8', i === 0 ? 0 : (ends[i - 1] ?? 0) + 1, end))
        if (JSON.stringify(got) !== JSON.stringify(good)) throw new Error(`${got} is not ${good}`)
        if (bad.length !== values.length - good.length) throw new Error('some are missing')
      },
    ),
  )
  t.pass('random values')
})

t.test('the packer keeps what was added, wherever its slabs end', async (t) => {
  const piece = fc.oneof(
    { weight: 5, arbitrary: record },
    fc.nat(70_000).map((size) => 'x'.repeat(size)),
    fc.uint8Array({ maxLength: 50 }),
  )
  fc.assert(
    fc.property(fc.array(fc.array(piece, { minLength: 1, maxLength: 8 }), { maxLength: 8 }), (groups) => {
      const packer = new Packer()
      const runs = groups.map((group) => {
        for (const one of group) packer.add(one)
        if (packer.length !== group.length) throw new Error('counted wrong')
        return packer.take(open(group.length))
      })
      for (const [i, run] of runs.entries()) {
        const wanted = groups[i]?.map((one) => Buffer.from(one).toString('hex'))
        if (Array.from(run, (one) => one.toString('hex')).join() !== wanted?.join()) throw new Error('other bytes')
      }
    }),
    { numRuns: 100 },
  )
  t.pass('100 random histories')
})

t.test('receipts', async (t) => {
  const account = new Account()
  let settled = 0
  const receipt = account.open(5, 100, { position: { from: 0, to: 50 }, onSettled: () => (settled += 1) })
  t.equal(account.oldestArrival, 100)
  receipt.settle('delivered', 2)
  receipt.expand(1)
  receipt.settle('dropped', 1)
  t.match(account.counts(), { in: 6, expanded: 1, delivered: 2, dropped: 1, backedUp: 0, pending: 3 })
  t.throws(() => receipt.settle('backedUp', 4), {
    message: '4 records were said to be backedUp, but only 3 are pending',
  })
  t.equal(settled, 0)
  receipt.settle('backedUp', 3)
  t.equal(settled, 1)
  t.match(account.counts(), { in: 6, delivered: 2, dropped: 1, backedUp: 3, pending: 0 })
  t.equal(account.oldestArrival, undefined)
})

t.test('merged receipts share out what is settled', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 10 }),
      fc.nat(),
      fc.nat(),
      (shares, a, b) => {
        const account = new Account()
        const receipts = [0, 1, 2, 3].map((which) => {
          return account.open(
            shares.reduce((sum, [other, count]) => sum + (other === which ? count : 0), 0),
            which,
          )
        })
        const merger = new ReceiptMerger()
        const each: number[] = []
        for (const [which, count] of shares) {
          const receipt = receipts[which]
          if (receipt === undefined) throw new Error('no receipt')
          merger.add(receipt, count)
          for (let i = 0; i < count; i += 1) each.push(which)
        }
        const merged = merger.merged()
        const [from, to] = [
          Math.min(a % (each.length + 1), b % (each.length + 1)),
          Math.max(a % (each.length + 1), b % (each.length + 1)),
        ]
        const part = merged.slice(from, to)
        for (let i = from; i < to; i += 1)
          if (part.at(i - from).arrivedAt !== each[i]) throw new Error(`another receipt at ${i}`)
        if (from > 0) merged.slice(0, from).settle('dropped', from)
        if (to > from) part.settle('delivered', to - from)
        const rest = Array.from({ length: each.length - to }, (_, i) => to + i)
        if (rest.length > 0) merged.pick(rest).settle('backedUp', rest.length)
        const { delivered, dropped, backedUp, pending } = account.counts()
        if (delivered !== to - from || dropped !== from || backedUp !== rest.length || pending !== 0)
          throw new Error('miscounted')
      },
    ),
  )
  t.pass('random shares')
  const account = new Account()
  const merged = new MergedReceipts([account.open(1, 1), account.open(2, 2)], [1, 3])
  t.throws(() => merged.settle('delivered', 2), { message: '2 records were settled of 3' })
  const [a, b] = [new Account(), new Account()]
  const fresh = new MergedReceipts([account.open(1, 1), account.open(2, 2)], [1, 3])
  const [left, right] = fresh.fork(3, [a, b])
  left?.settle('delivered', 3)
  t.match(a.counts(), { in: 3, delivered: 3 })
  const before = account.counts()
  right?.settle('dropped', 3)
  t.match(b.counts(), { in: 3, dropped: 3 })
  t.equal(account.counts().delivered, before.delivered + 3)
})

t.test('checkpoints are committed in their order, each once', async (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }).chain((count) =>
        fc.shuffledSubarray(
          Array.from({ length: count }, (_, i) => i),
          { minLength: count },
        ),
      ),
      (order) => {
        const committed: number[] = []
        const checkpoints = new Checkpoints<number>((position) => committed.push(position))
        const settle = order.map((_, i) => checkpoints.open(i)).map((done) => done)
        const done = new Set<number>()
        for (const i of order) {
          settle[i]?.()
          done.add(i)
          let prefix = 0
          while (done.has(prefix)) prefix += 1
          if ((committed.at(-1) ?? -1) !== prefix - 1) throw new Error(`${committed.at(-1)} was committed of ${prefix}`)
        }
        if (checkpoints.waiting !== 0 || committed.some((one, i) => one <= (committed[i - 1] ?? -1)))
          throw new Error('out of order')
      },
    ),
  )
  t.pass('random orders')
})

t.test('a receipt for no records is settled at once, so that it holds back no position behind it', async (t) => {
  const committed: number[] = []
  const checkpoints = new Checkpoints<number>((offset) => committed.push(offset))
  const account = new Account()
  account.open(0, 0, { onSettled: checkpoints.open(10) })
  account.open(1, 0, { onSettled: checkpoints.open(20) }).settle('delivered', 1)
  t.same(committed, [10, 20])
  t.throws(() => account.open(-1, 0), { message: 'a receipt must be for a whole number of records, but came with -1' })
  t.match(account.counts(), { in: 1, delivered: 1, pending: 0 })
})

t.test('stretches are the records at their indexes, and each goes back to its own receipt', async () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 })
  const texts = fc.array(record, { minLength: 32, maxLength: 32 })
  const account = new Account()
  fc.assert(
    fc.property(texts, lengths, fc.nat(2), fc.boolean(), fc.boolean(), (texts, lengths, gap, merged, isValues) => {
      const receipts = [account.open(20, 0), account.open(12, 0)]
      const receipt = merged ? new MergedReceipts(receipts, [20, 32]) : account.open(32, 0)
      const values = isValues ? texts : undefined
      for (const layout of [...layouts(texts), Records.lines(open(32), ...linesOf(texts))]) {
        const run =
          values === undefined ? layout.withReceipt(receipt) : Records.values({ receipt, arrivedAt: 0 }, values)
        const stretches: number[] = []
        const indexes: number[] = []
        let at = gap
        for (const length of lengths) {
          const to = Math.min(32, at + length)
          if (at < to) stretches.push(at, to)
          for (let i = at; i < to; i += 1) indexes.push(i)
          at = to + 1 + gap
        }
        const [got, wanted] = [run.pickStretches(Uint32Array.from(stretches)), run.pick(indexes)]
        const facts = (picked: Records) => ({
          texts: Array.from(picked, String),
          parsed: picked.parsed,
          receipts: indexes.map((_, i) => receipts.indexOf(asReceipt(picked, i))),
          costs: [picked.cost(0, picked.length, 3), picked.cost(0, picked.length, 1), picked.cost(1, picked.length, 2)],
          compact: Array.from(picked.compact(), String),
          isLines: picked.isLines,
        })
        deepStrictEqual(facts(got), facts(wanted))
        if (got.compact().isLines !== got.isLines) throw new Error('a copy is lines if what it was made from is')
      }
    }),
    { numRuns: 200 },
  )
})

/** Texts as a splitter finds them: without newlines of their own. */
function linesOf(texts: readonly string[]): [Buffer, number, Uint32Array] {
  const run = Records.pack(
    open(texts.length),
    texts.map((one) => one.replaceAll('\n', ' ')),
  )
  return [run.bytes, 0, run.ends]
}

function asReceipt({ receipt }: Records, index: number): Receipt {
  return receipt.at(index)
}

t.test('a run of which little is left is copied, whatever lies between', async () => {
  const item = fc.record({
    text: fc.oneof(record, fc.constantFrom('y'.repeat(100), 'y'.repeat(2_100), 'y'.repeat(5_000))),
    gap: fc.constantFrom('', '', '\n', '\n', '\r\n', 'gap', 'gap '.repeat(500), 'gap '.repeat(3_000)),
  })
  fc.assert(
    fc.property(fc.array(item, { minLength: 1, maxLength: 30 }), fc.boolean(), (items, isReversed) => {
      const starts: number[] = []
      const ends: number[] = []
      let bytes = ''
      for (const { text, gap } of items) {
        starts.push(Buffer.byteLength(bytes))
        bytes += text
        ends.push(Buffer.byteLength(bytes))
        bytes += gap
      }
      const texts = items.map(({ text }) => text)
      if (isReversed) for (const list of [starts, ends, texts]) list.reverse()
      const copy = copyFramed(
        Buffer.from(bytes),
        Uint32Array.from(starts),
        Uint32Array.from(ends),
        texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0),
      )
      const copied = Records.framed(open(texts.length), copy.bytes, 0, copy.ends)
      deepStrictEqual(Array.from(copied, String), texts)
      deepStrictEqual(copy.bytes.toString(), texts.map((text) => `${text}\n`).join(''))
    }),
    { numRuns: 400 },
  )
})
