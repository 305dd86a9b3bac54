import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { deflateRawSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { ByteReader } from '../../src/decompress/byte-reader.ts'
import { type DecompressOptions, decompress, decompressed } from '../../src/decompress/decompress.ts'
import { FrameWalker, findDecompressor, unzstd } from '../../src/decompress/zstd-frames.ts'
import { without } from '../support/program.ts'

/** What comes out of bytes that come in pieces of a size. */
async function read(bytes: Buffer, size: number, options: DecompressOptions = {}): Promise<string> {
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  )
  const out: Buffer[] = []
  await pipeline(Readable.from(pieces, { objectMode: false }), decompress(options), async (chunks) => {
    for await (const chunk of chunks) out.push(chunk)
  })
  return Buffer.concat(out).toString()
}

const inputs = join(import.meta.dirname, '../inputs')
const large = Array.from({ length: 300_000 }, (_, i) => i * i).join(' ')

t.test('what is not compressed comes out as it is, and at once', async (t) => {
  for (const plain of ['', 'a', '{"a":1}\n', 'PK', 'PARTY', 'BZ', '\x1f', '\x1f\x8b', '(\xb5', '7', 'P*']) {
    for (const size of [1, 3, 1000])
      t.equal(await read(Buffer.from(plain, 'latin1'), size), Buffer.from(plain, 'latin1').toString())
  }
  t.ok((await read(Buffer.from(large), 1000)) === large)
  const slow = new PassThrough()
  const [first] = await Promise.all([
    new Promise((resolve) => slow.pipe(decompress()).once('data', resolve)),
    slow.write('7\n'),
  ])
  t.equal(String(first), '7\n', 'two bytes are enough')
})

/** A member with everything in its header that RFC 1952 has. */
function decorated(content: string): Buffer {
  const plain = gzipSync(content)
  const header = Buffer.from([0x1f, 0x8b, 8, 0x1f, 0, 0, 0, 0, 0, 3])
  const fields = [Buffer.from([3, 0, 1, 2, 3]), Buffer.from('name\0a comment\0'), Buffer.from([0xab, 0xcd])]
  return Buffer.concat([header, ...fields, deflateRawSync(content), plain.subarray(-8)])
}

t.test('gzip: any number of members, cut anywhere', async (t) => {
  const contents = ['one\n', '', large.slice(0, 50_000), 'x'.repeat(300_000), 'end\n']
  const members = [...contents.map((content) => gzipSync(content)), decorated('decorated\n'), decorated('')]
  const whole = Buffer.concat(members)
  const expected = `${contents.join('')}decorated\n`
  for (const size of [7, 1000, 65_536, whole.length]) t.ok((await read(whole, size)) === expected, `chunks of ${size}`)
  const small = Buffer.concat([gzipSync('a'), decorated('b'), gzipSync('c')])
  for (const size of [1, 2, 3]) t.equal(await read(small, size), 'abc')
  const zeros = Buffer.concat([small, Buffer.alloc(1000), gzipSync('d'), Buffer.alloc(3)])
  for (const size of [1, 64, 5000]) t.equal(await read(zeros, size), 'abcd', 'zeros are skipped')
  t.ok((await read(gzipSync(large), 1000)) === large)
})

t.test('bytes behind the last member are told, and all before them is read', async (t) => {
  const members = Buffer.concat([gzipSync('one\n'), gzipSync('two\n')])
  for (const tail of ['hello', 'h', '\x1f', '\x1f\x8b\x07...', '\0\0x']) {
    for (const size of [1, 10, 5000]) {
      const offsets: number[] = []
      const onTrailingBytes = (offset: number) => void offsets.push(offset)
      t.equal(
        await read(Buffer.concat([members, Buffer.from(tail, 'latin1')]), size, { onTrailingBytes }),
        'one\ntwo\n',
      )
      t.same(offsets, [members.length + (tail.startsWith('\0') ? 2 : 0)])
    }
  }
  const warned = new Promise((resolve) => process.once('warning', resolve))
  t.equal(await read(readFileSync(join(inputs, 'garbage-after.gz')), 4096), '{"a":1}\n')
  t.match(await warned, {
    code: 'Decompress.TrailingBytes',
    message: /bytes behind the compressed data, from byte \d+ on/,
  })
})

t.test('what is damaged or breaks off ends with an error, after what could be read', async (t) => {
  const small = Buffer.concat([gzipSync('first\n'), decorated('second\n')])
  const firstEnd = gzipSync('first\n').length
  for (let length = 3; length < small.length; length += 1) {
    if (length >= firstEnd && length < firstEnd + 3) continue
    const out: Buffer[] = []
    const reading = pipeline([small.subarray(0, length)], decompress({ name: 'x.gz' }), async (pieces) => {
      for await (const piece of pieces) out.push(piece)
    })
    await t.rejects(
      reading,
      { code: 'Decompress.Damaged', message: /^x\.gz cannot be decompressed with gzip: / },
      `${length} bytes`,
    )
    if (length > firstEnd) t.match(String(Buffer.concat(out)), /^first\n/)
  }
  for (const place of [3, small.length - 5, small.length - 1]) {
    const damaged = Buffer.from(small)
    damaged[place] = (damaged[place] ?? 0) ^ 0xff
    await t.rejects(
      read(damaged, 4096),
      { code: 'Decompress.Damaged', message: /it is damaged|invalid/ },
      `byte ${place}`,
    )
  }
})

t.test('what is known but cannot be read is refused by name', async (t) => {
  const cases: [string | Buffer, string][] = [
    [readFileSync(join(inputs, 'x.ndjson.bz2')), 'bzip2'],
    ['PK\x03\x04', 'ZIP'],
    ['\xfd7zXZ\0', 'xz'],
    ['PAR1', 'Parquet'],
  ]
  for (const [bytes, name] of cases) {
    const message = `the input is compressed with ${name}, which cannot be read here; decompress it first: `
    const reading = read(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, 3)
    t.ok((await reading.catch((error: Error) => error.message)).startsWith(message), name)
  }
  await t.rejects(read(Buffer.from('\x0b\x02'), 3, { name: 'a.ndjson.br' }), {
    code: 'Decompress.Unsupported',
    message: 'a.ndjson.br is compressed with Brotli, which cannot be read here; decompress it first: brotli -dc',
  })
})

t.test('the user may say what it is', async (t) => {
  const zipped = gzipSync('a')
  t.equal(await read(zipped, 5, { format: 'none' }), zipped.toString())
  await t.rejects(read(Buffer.from('hello'), 5, { format: 'gzip' }), { code: 'Decompress.Damaged' })
  t.throws(() => decompress({ format: JSON.parse('"bzip2"') }), {
    message: /^decompress: format must be 'auto' or 'gzip'/,
  })
})

t.test('what is compressed is closed when nobody reads it any more', async (t) => {
  let isClosed = false
  async function* forever(): AsyncGenerator<Buffer> {
    try {
      for (;;) yield gzipSync('a')
    } finally {
      isClosed = true
    }
  }
  for await (const piece of decompressed(forever())) {
    t.equal(piece.toString(), 'a')
    break
  }
  t.ok(isClosed)
})

t.test('zstd frames, cut anywhere', { skip: without('zstd') }, async (t) => {
  const compress = (text: string, ...flags: string[]) => spawnSync('zstd', ['-qc', ...flags], { input: text }).stdout
  const texts = ['', 'a\n', 'b'.repeat(3000), Array.from({ length: 300 }, (_, i) => i * i).join(' ')]
  const frames = texts.flatMap((text) => [compress(text), compress(text, '--no-check', '-1'), compress(text, '-19')])
  const skippable = Buffer.concat([Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]), Buffer.from('\n\n\n')])
  const whole = Buffer.concat([skippable, ...frames, skippable])
  const expected = texts.map((text) => text.repeat(3)).join('')
  const makeDecompressor = await findDecompressor()
  const read = async (bytes: Buffer, size: number): Promise<string> => {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    )
    return (await buffer(unzstd(new ByteReader(Readable.from(chunks)), makeDecompressor))).toString()
  }
  for (const size of [1, 2, 3, 7, 1000, whole.length]) t.equal(await read(whole, size), expected, `chunks of ${size}`)
  const large = Array.from({ length: 100_000 }, (_, i) => i * i).join(' ')
  t.ok((await read(Buffer.concat([compress(large), compress(large)]), 4096)) === large + large, 'frames of many blocks')
  t.equal(await read(Buffer.alloc(0), 1), '', 'nothing is no frame')

  const [, small = Buffer.alloc(0)] = [skippable, compress('hello\n')]
  for (let length = 4; length < small.length; length += 1) {
    await t.rejects(read(small.subarray(0, length), 4096), /it breaks off/, `${length} bytes of it`)
  }
  const damaged = Buffer.from(small)
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1
  await t.rejects(read(damaged, 4096), Error, 'a wrong checksum')

  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1 }), (sizes) => {
      let at = 0
      for (const frame of frames) {
        const walker = new FrameWalker()
        let i = 0
        for (const end = at + frame.length; at < end; i += 1) {
          const walked = walker.walk(
            whole.subarray(skippable.length + at, skippable.length + at + (sizes[i % sizes.length] ?? 1)),
          )
          at += walked
          if (walker.hasEnded && at !== end) return false
        }
        if (!walker.hasEnded) return false
      }
      return true
    }),
  )
})

t.test(
  'an older Node takes the package: without zstd it is said what to install, or it is the package’s',
  async (t) => {
    const make = await findDecompressor({})
    t.equal(make().constructor.name, 'Decompressor')
  },
)
