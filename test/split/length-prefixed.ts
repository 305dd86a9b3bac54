import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { lengthPrefixed } from '../../src/split/length-prefixed.ts'
import { pieces, splitting, texts } from '../support/splitting.ts'

const prefixed = (...records: readonly (string | Uint8Array)[]): Buffer =>
  Buffer.concat(
    records.flatMap((record) => {
      const body = Buffer.from(record)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(body.length)
      return [length, body]
    }),
  )

t.test('any records in any chunks', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 4 }),
      async (records, sizes) => {
        const result = await splitting(lengthPrefixed(), pieces(prefixed(...records), ...sizes))
        assert.deepEqual(
          result.records,
          records.map((record) => Buffer.from(record)),
        )
        assert.equal(result.counts.in, records.length)
      },
    ),
    { numRuns: 300 },
  )
  t.pass('as they were')
})

t.test('every border of a multi-byte corpus', async (t) => {
  const records = ['zwölf', '', '漢字', '🎈', 'x'.repeat(300), '']
  const input = prefixed(...records)
  for (let at = 0; at <= input.length; at += 1) {
    const result = await splitting(lengthPrefixed(), [input.subarray(0, at), input.subarray(at)])
    if (texts(result).join('|') !== records.join('|')) t.same(texts(result), records, `cut at ${at}`)
  }
  t.same(texts(await splitting(lengthPrefixed(), pieces(input, 1))), records)
})

t.test('records within a chunk are views of it, one that crosses a border is a copy', async (t) => {
  const input = prefixed('one', 'two', 'three', 'four')
  const [first, second] = [Buffer.from(input.subarray(0, 20)), Buffer.from(input.subarray(20))]
  const { runs, records, positions } = await splitting(lengthPrefixed(), [first, second])
  t.same(records.map(String), ['one', 'two', 'three', 'four'])
  t.same(
    runs.map(({ length }) => length),
    [2, 1, 1],
  )
  t.same(
    runs.map(({ bytes }) =>
      [first, second].findIndex((chunk) => chunk.buffer === bytes.buffer && chunk.byteOffset === bytes.byteOffset),
    ),
    [0, -1, 1],
  )
  t.same(positions, [
    [0, 14],
    [14, 23],
    [23, 31],
  ])
})

t.test('lengths beyond the limit', async (t) => {
  const input = prefixed('ab', 'cdefgh', 'ijk', 'lmnopq')
  for (const size of [1, 3, 7, 100]) {
    await t.rejects(splitting(lengthPrefixed({ maxRecordBytes: 5 }), pieces(input, size)), {
      code: 'Split.RecordTooLarge',
      message: 'lengthPrefixed: the record at byte 6 of the input is longer than maxRecordBytes, which is 5',
    })
    const cut = await splitting(lengthPrefixed({ maxRecordBytes: 5, onTooLarge: 'truncate' }), pieces(input, size))
    t.same(texts(cut), ['ab', 'cdefg', 'ijk', 'lmnop'])
    const { records, failed } = await splitting(
      lengthPrefixed({ maxRecordBytes: 5, onTooLarge: 'backup' }),
      pieces(input, size),
    )
    t.same(records.map(String), ['ab', 'ijk'])
    t.same(
      failed.map(({ bytes, position }) => [String(bytes), position]),
      [
        ['cdefg', [6, 16]],
        ['lmnop', [23, 33]],
      ],
    )
    t.match(failed[1]?.reason, {
      code: 'Split.RecordTooLarge',
      message:
        'lengthPrefixed: the record at byte 23 of the input has 6 bytes, more than maxRecordBytes; its first 5 are kept',
    })
  }
  const enormous = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x61])
  await t.rejects(splitting(lengthPrefixed(), [enormous]), { code: 'Split.RecordTooLarge' })
})

t.test('an input that ends too early', async (t) => {
  const input = prefixed('abc', 'defgh')
  await t.rejects(splitting(lengthPrefixed(), pieces(input.subarray(0, 9), 4)), {
    code: 'Split.Malformed',
    message: 'lengthPrefixed: the input ends inside the length at byte 7: 4 bytes were expected, but 2 came',
  })
  await t.rejects(splitting(lengthPrefixed(), pieces(input.subarray(0, 13), 4)), {
    code: 'Split.Malformed',
    message:
      'lengthPrefixed: the input ends inside the record after the length at byte 7: 5 bytes were expected, but 2 came',
  })
  await t.rejects(splitting(lengthPrefixed({ maxRecordBytes: 4, onTooLarge: 'backup' }), [input.subarray(0, 13)]), {
    code: 'Split.Malformed',
  })
  t.equal((await splitting(lengthPrefixed(), [])).counts.in, 0)
})

t.test('a record of 16 MiB is copied into memory of its own size, once', async (t) => {
  const record = Buffer.alloc(16 * 1024 * 1024, 'abc')
  const { runs, records } = await splitting(lengthPrefixed(), pieces(prefixed(record, 'end'), 65_536))
  t.ok(records[0]?.equals(record))
  t.equal(runs[0]?.bytes.buffer.byteLength, record.length)
  t.equal(String(records[1]), 'end')
})

t.test('options', async (t) => {
  t.throws(() => lengthPrefixed({ maxRecordBytes: 0 }), { message: /^lengthPrefixed: maxRecordBytes must be/ })
  t.throws(() => lengthPrefixed(JSON.parse('{"onTooLarge":"drop"}')), {
    message: `lengthPrefixed: onTooLarge must be 'fail' or 'backup' or 'truncate', but came as "drop"`,
  })
})
