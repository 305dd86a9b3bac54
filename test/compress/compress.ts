import { spawnSync } from 'node:child_process'
import { Readable, type Transform } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { decompress } from '@cloudpss/zstd'
import fc from 'fast-check'
import { gunzipSync } from 'fflate'
import t from 'tap'
import type { Compressor } from '../../src/compress/compressor.ts'
import { gzip } from '../../src/compress/gzip.ts'
import { none } from '../../src/compress/none.ts'
import { compressPieces, cut, joined } from '../../src/compress/pieces.ts'
import { Limiter, poolThreads, threadPool } from '../../src/compress/thread-pool.ts'
import { zstd } from '../../src/compress/zstd.ts'
import { findZstd } from '../../src/compress/zstd-engine.ts'
import { withContentSize } from '../../src/compress/zstd-header.ts'
import { HosepipeError, OptionError } from '../../src/errors.ts'

/** Records such as one compresses: alike, but not the same. `size` bytes of them. */
function sample(size: number): Buffer {
  const lines: string[] = []
  for (let at = 0, i = 0; at < size; i += 1) {
    const line = `{"id":${i},"user":"user-${(i * 7919) % 1000}","amount":${((i * 2654435761) % 100000) / 100}}\n`
    lines.push(line)
    at += line.length
  }
  return Buffer.from(lines.join('')).subarray(0, size)
}

/** Bytes that cannot be made smaller, the same in every run. */
function noise(size: number): Buffer {
  const bytes = Buffer.alloc(size)
  let state = 1
  for (let i = 0; i < size; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

/** Cuts a body into parts of `size`. */
function parts(body: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(body.length / size) }, (_, i) => body.subarray(i * size, (i + 1) * size))
}

const compressed = async (compressor: Compressor, body: readonly Buffer[]): Promise<Buffer> =>
  Buffer.concat(await compressor.compress(body))

const gunzip: (bytes: Buffer) => Promise<Buffer> = promisify(zlib.gunzip)

/** Runs a program with the bytes on its standard input; `undefined` where it is not installed. */
function program(name: string, args: readonly string[], input: Buffer): Buffer | undefined {
  const { error, status, stdout, stderr } = spawnSync(name, args, { input, maxBuffer: 64 * 1024 * 1024 })
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') return undefined
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${name} ${args.join(' ')} said ${status}: ${stderr}`)
  return stdout
}

const MiB = 1_048_576

t.test('gzip: one member, whatever its size and its pieces', async (t) => {
  const body = sample(5 * MiB + 123)
  for (const level of [0, 1, 6, 9]) {
    const plain = zlib.gzipSync(body, { level })
    for (const size of level === 1 ? [65_536, 1_000_000, body.length] : [200_000]) {
      const file = Buffer.concat(await gzip({ level }).compress(parts(body, size)))
      t.equal(await bytesBehind(file), 0, 'nothing stands behind the first member')
      t.ok(file.subarray(0, 10).equals(plain.subarray(0, 10)), 'the header that zlib writes')
      t.ok(zlib.gunzipSync(file).equals(body), 'zlib in one go')
      const streamed = Readable.from(parts(file, 10_007)).pipe(zlib.createGunzip())
      t.ok((await buffer(streamed)).equals(body), 'zlib as a stream, whatever the borders')
      t.ok(file.length < plain.length * 1.01, 'no worse than in one piece')
    }
  }
})

/** How many bytes stand behind the first member of a gzip file: what readers that know of one alone do not see. */
async function bytesBehind(file: Buffer): Promise<number> {
  const [header, trailer] = [10, 8]
  const inflate = zlib.createInflateRaw()
  inflate.end(file.subarray(header))
  await buffer(inflate)
  return file.length - header - inflate.bytesWritten - trailer
}

t.test('gzip: readers that take the first member alone read all of it', async (t) => {
  for (const body of [sample(3 * MiB + 1), noise(2 * MiB), Buffer.alloc(4 * MiB), sample(70_000)]) {
    for (const pieceBytes of [65_536, MiB]) {
      const file = await compressed(gzip({ pieceBytes, level: 1 }), parts(body, 50_021))
      t.ok(Buffer.from(gunzipSync(file)).equals(body), 'fflate')
      const web = new Blob([new Uint8Array(file)]).stream().pipeThrough(new DecompressionStream('gzip'))
      t.ok(Buffer.from(await new Response(web).arrayBuffer()).equals(body), 'DecompressionStream')
    }
  }
  const body = sample(2 * MiB)
  const script = 'import sys,zlib; sys.stdout.buffer.write(zlib.decompress(sys.stdin.buffer.read(), 31))'
  const read = program('python3', ['-c', script], await compressed(gzip(), parts(body, 65_536)))
  if (read === undefined) t.pass('not tried', { skip: 'python3 is not on this machine' })
  else t.ok(read.equals(body), 'zlib.decompress of Python')
})

t.test('gzip: the programs read it', async (t) => {
  const body = sample(2 * MiB)
  const file = await compressed(gzip({ pieceBytes: 500_000 }), parts(body, 65_536))
  const checked = program('gzip', ['-t'], file)
  if (checked === undefined) t.pass('not tried', { skip: 'gzip is not on this machine' })
  else t.pass('gzip -t finds nothing wrong')
  const read = program('zcat', [], file)
  if (read === undefined) t.pass('not tried', { skip: 'zcat is not on this machine' })
  else t.ok(read.equals(body))
})

t.test('gzip: what is small keeps little memory', async (t) => {
  for (const size of [0, 1, 100, 5_000, 200_000]) {
    for (const body of [sample(size), noise(size)]) {
      const [member, ...more] = await gzip().compress([body])
      t.equal(more.length, 0)
      t.ok(member && zlib.gunzipSync(member).equals(body))
      const kept = member?.buffer.byteLength ?? Number.NaN
      t.ok(kept <= Math.max(Buffer.poolSize, size * 1.01 + 128), `${kept} bytes for ${size}`)
    }
  }
})

/** Frames begin with this: RFC 8878, 3.1.1. */
const zstdMagic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])

/** Node's own zstd, which Node 20 has not. */
const nodeUnzstd: Transform | undefined =
  'createZstdDecompress' in zlib && typeof zlib.createZstdDecompress === 'function'
    ? zlib.createZstdDecompress()
    : undefined

t.test('zstd: one frame, unless pieces are asked for', async (t) => {
  const body = sample(5 * MiB + 123)
  const one = await compressed(zstd(), parts(body, 65_536))
  t.ok(Buffer.from(decompress(one)).equals(body))
  t.equal(one.indexOf(zstdMagic), 0)
  t.equal(one.indexOf(zstdMagic, 1), -1, 'a reader that stops after the first frame has everything')

  if (nodeUnzstd === undefined) t.pass('not tried', { skip: `Node ${process.version} has no zstd of its own` })
  else {
    nodeUnzstd.end(one)
    t.ok((await buffer(nodeUnzstd)).equals(body), "Node's own reads it")
  }

  const frames = await compressed(zstd({ level: 1, pieceBytes: MiB }), parts(body, 65_536))
  let count = 0
  for (let at = frames.indexOf(zstdMagic); at >= 0; at = frames.indexOf(zstdMagic, at + 1)) count += 1
  t.equal(count, 5)
  t.ok(Buffer.from(decompress(frames)).equals(body))

  const [readOne, readFrames] = [program('zstd', ['-dc'], one), program('zstd', ['-dc'], frames)]
  if (readOne === undefined || readFrames === undefined) t.pass('not tried', { skip: 'zstd is not on this machine' })
  else t.ok(readOne.equals(body) && readFrames.equals(body), 'the program reads both')

  const words = Buffer.from(Array.from(noise(100_000), (byte) => `word${byte % 50}`).join(' '))
  const small = await compressed(zstd({ level: 12 }), [words])
  const fast = await compressed(zstd({ level: 1 }), [words])
  t.ok(small.length < fast.length, 'the level is heeded')
})

t.test('zstd: the header says how large the content is', async (t) => {
  for (const size of [0, 1, 255, 70_000, 3_000_000]) {
    const content = noise(size)
    const frame = await compressed(zstd({ level: 1 }), [content])
    // RFC 8878, section 3.1.1.1: the descriptor says how many bytes the size has, and that of a single segment where no window is given.
    const descriptor = frame[4] ?? 0
    const isSingle = (descriptor & 0x20) !== 0
    const bytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
    const said = bytes === 0 ? undefined : frame.readUIntLE(isSingle ? 5 : 6, Math.min(bytes, 6))
    t.equal(bytes === 2 ? Number(said) + 256 : said, size)
    t.ok(Buffer.from(decompress(frame)).equals(content))
    const listed = program('zstd', ['-dc'], frame)
    if (listed !== undefined) t.ok(listed.equals(content))
  }
  const long = withContentSize([Buffer.from([0x28, 0xb5]), Buffer.from([0x2f, 0xfd, 4, 0x58, 1, 0, 0])], 2 ** 33)
  t.same(
    [...Buffer.concat(long)],
    [0x28, 0xb5, 0x2f, 0xfd, 0xc4, 0x58, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0],
    'eight bytes, in parts however short',
  )
})

t.test('zstd: the engine is the one of Node, or the package, or an error that says what to install', async (t) => {
  const nothing = {
    zlib: {},
    resolvePackage: () => '',
    importPackage: () => import('@cloudpss/zstd/napi'),
  }
  const body = sample(300_000)
  for (const engine of [findZstd(), findZstd(nothing)]) {
    const makeFrame = await engine.load()
    const frame = makeFrame(3, body.length)
    t.ok(Buffer.from(decompress(await buffer(Readable.from(parts(body, engine.writeBytes)).pipe(frame)))).equals(body))
  }

  const missing = (): never => {
    throw new Error('Cannot find package')
  }
  t.throws(() => findZstd({ ...nothing, resolvePackage: missing }), {
    code: 'Compress.Unavailable',
    message: /there is no zstd here.*Cannot find package.*22\.15.*npm install @cloudpss\/zstd/,
  })
  const broken = findZstd({ ...nothing, importPackage: () => Promise.reject(new Error('no native build was found')) })
  await t.rejects(broken.load(), { code: 'Compress.Unavailable', message: /cannot be loaded: no native build/ })
  await t.rejects(broken.load(), HosepipeError)
})

t.test('none: the parts as they are', async (t) => {
  const body = [Buffer.from('a'), Buffer.from('b')]
  t.equal(await none.compress(body), body)
})

t.test('formats say what they are', async (t) => {
  t.strictSame(
    [gzip(), zstd(), none].map(({ name, extension, contentEncoding }) => [name, extension, contentEncoding]),
    [
      ['gzip', '.gz', 'gzip'],
      ['zstd', '.zst', 'zstd'],
      ['none', '', undefined],
    ],
  )
})

t.test('any body in any parts comes back', async (t) => {
  const part = fc.oneof(
    fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array)),
    fc.constantFrom(0, 1, 49_152, 65_536, 81_920, 81_921, 200_000).map((size) => sample(size)),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (body) => {
      const plain = Buffer.concat(body)
      const pieceBytes = 65_536
      t.ok(zlib.gunzipSync(await compressed(gzip({ level: 1, pieceBytes }), body)).equals(plain))
      t.ok(decompress(await compressed(zstd({ level: 1, pieceBytes }), body)).length === plain.length)
      t.ok(Buffer.from(decompress(await compressed(zstd({ level: 1 }), body))).equals(plain))
    }),
    { numRuns: 25, examples: [[[]], [[Buffer.alloc(0)]], [[Buffer.alloc(0), Buffer.alloc(0)]]] },
  )
})

t.test('pieces are about equally long, keep the order, and follow the borders of parts', async (t) => {
  const sizes = fc.array(fc.oneof(fc.nat(10), fc.nat(5_000)), { maxLength: 40 })
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 3_000 }), (lengths, pieceBytes) => {
      const body = lengths.map((length) => noise(length))
      const pieces = cut(body, pieceBytes)
      if (!Buffer.concat(pieces.flat()).equals(Buffer.concat(body))) throw new Error('other bytes')
      const found = pieces.map((piece) => piece.reduce((sum, each) => sum + each.length, 0))
      const total = lengths.reduce((sum, length) => sum + length, 0)
      const target = Math.ceil(total / Math.max(1, Math.round(total / pieceBytes)))
      const [last = 0, ...others] = found.reverse()
      if (last > target * 1.25) throw new Error(`a last piece of ${last}, not of ${target}`)
      for (const length of others) {
        if (length < target * 0.75 || length > target * 1.25) throw new Error(`a piece of ${length}, not of ${target}`)
      }
    }),
  )
  const chunks = [noise(900), noise(1_100), noise(1_000), noise(950)]
  t.strictSame(
    cut(chunks, 1_000),
    chunks.map((chunk) => [chunk]),
    'no cut, no copy, where parts are near the size',
  )
  t.equal(cut([noise(4_000)], 1_000).length, 4)
  t.strictSame(cut([], 1_000), [[]])
})

t.test('the pieces of all bodies take turns: never more than the limit at a time', async (t) => {
  const pool = new Limiter(3)
  const waiting: (() => void)[] = []
  let [running, most] = [0, 0]
  const work = async (piece: readonly Buffer[]): Promise<readonly Buffer[]> => {
    running += 1
    most = Math.max(most, running)
    t.equal(pool.running, running)
    await new Promise<void>((resolve) => waiting.push(resolve))
    running -= 1
    return piece
  }
  const bodies = [0, 1].map((body) => Array.from({ length: 5 }, (_, i) => [Buffer.from([body, i])]))
  const results = Promise.all(bodies.map((body) => compressPieces(body, work, pool)))
  t.equal(running, 3, 'the first begin at once')
  t.equal(pool.waiting, 7)
  let order = 0
  while (waiting.length > 0) {
    // Whichever piece is done first, the result keeps the order of the body.
    waiting.splice(order % waiting.length, 1)[0]?.()
    order += 1
    await new Promise(setImmediate)
  }
  t.strictSame(
    await results,
    bodies.map((body) => body.flat()),
  )
  t.equal(most, 3)
  t.equal(order, 10)
  t.strictSame([pool.running, pool.waiting], [0, 0])
})

t.test('compressors share the process: a thread stays free', async (t) => {
  const body = parts(sample(2 * MiB), 65_536)
  const all = Promise.all(
    [gzip({ pieceBytes: 65_536 }), gzip({ level: 1, pieceBytes: 65_536 })].map((c) => c.compress(body)),
  )
  t.equal(threadPool.running, threadPool.limit)
  t.equal(threadPool.waiting, 64 - threadPool.limit)
  t.equal(threadPool.limit, Math.max(1, poolThreads(process.env.UV_THREADPOOL_SIZE) - 1))
  await all
  t.strictSame([threadPool.running, threadPool.waiting], [0, 0])

  t.strictSame(
    [undefined, '8', '1', '0', '', 'many', '-1', '5000', '16 threads'].map(poolThreads),
    [4, 8, 1, 1, 1, 1, 1024, 1024, 16],
  )
})

t.test('an error comes out once, when nothing is under way any more', async (t) => {
  const pool = new Limiter(2)
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = []
  const work = (piece: readonly Buffer[]): Promise<readonly Buffer[]> =>
    new Promise((resolve, reject) => ends.push({ resolve: () => resolve(piece), reject }))
  let settled = false
  const result = compressPieces([[], [], [], []], work, pool)
  const outcome = result.then(
    () => 'compressed',
    (error) => {
      settled = true
      return error
    },
  )
  t.equal(ends.length, 2)
  const first = new Error('the first')
  ends[0]?.reject(first)
  await new Promise(setImmediate)
  t.notOk(settled, 'the second piece is under way still')
  t.equal(ends.length, 2, 'the others are not begun any more')
  ends[1]?.reject(new Error('the second'))
  t.equal(await outcome, first)
  t.strictSame([pool.running, pool.waiting], [0, 0])

  const sound = await compressPieces([[Buffer.from('x')]], async (piece) => piece, pool)
  t.strictSame(sound, [Buffer.from('x')], 'the pool goes on')
})

t.test("zlib's own error comes out as it is, and hurts no later body", async (t) => {
  // Decompressing stands for compressing here, because zlib refuses no input to that.
  const pool = new Limiter(2)
  const work = async (piece: readonly Buffer[]): Promise<readonly Buffer[]> => [await gunzip(joined(piece))]
  const [good, bad] = [[zlib.gzipSync('good')], [Buffer.from('no gzip')]]
  await t.rejects(compressPieces([good, bad, good, bad, good], work, pool), {
    code: 'Z_DATA_ERROR',
    message: 'incorrect header check',
  })
  t.strictSame([pool.running, pool.waiting], [0, 0])
  t.strictSame(await compressPieces([good, good], work, pool), [Buffer.from('good'), Buffer.from('good')])
})

t.test('options that cannot be taken are refused by name', async (t) => {
  for (const level of [-1, 10, 1.5, '6', null, Number.NaN]) {
    // @ts-expect-error: what a caller without types may do
    t.throws(() => gzip({ level }), OptionError)
  }
  for (const level of [0, 23, 2.5, '3']) {
    // @ts-expect-error: what a caller without types may do
    t.throws(() => zstd({ level }), OptionError)
  }
  t.throws(() => gzip({ level: 10 }), { option: 'gzip.level', message: /from 0 to 9, but came as 10/ })
  t.throws(() => zstd({ level: 0 }), { option: 'zstd.level', message: /from 1 to 22, but came as 0/ })
  t.throws(() => gzip({ pieceBytes: 1_000 }), {
    option: 'gzip.pieceBytes',
    message: /at least 65536, but came as 1000/,
  })
  t.throws(() => zstd({ pieceBytes: Number.NaN }), { option: 'zstd.pieceBytes', message: /came as NaN/ })
  // @ts-expect-error: a name that is near one
  t.throws(() => gzip({ levl: 1 }), { message: /did you mean level\?/ })
  // @ts-expect-error: no options at all
  t.throws(() => zstd(3), OptionError)
})
