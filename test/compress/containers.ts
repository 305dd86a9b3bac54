import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { uncompressSync } from 'snappy'
import t, { type Test } from 'tap'
import type { Compressor } from '../../src/compress/compressor.ts'
import { optionalPackage } from '../../src/compress/optional-package.ts'
import { hadoopSnappy, snappy } from '../../src/compress/snappy.ts'
import { threadPool } from '../../src/compress/thread-pool.ts'
import { zip } from '../../src/compress/zip.ts'
import { OptionError } from '../../src/errors.ts'

/** Lines that are alike, but not the same: `size` bytes of them. */
function sample(size: number): Buffer {
  const lines = Array.from(
    { length: Math.ceil(size / 20) },
    (_, i) => `{"id":${i},"user":"user-${(i * 7919) % 1000}"}\n`,
  )
  return Buffer.from(lines.join('')).subarray(0, size)
}

/** Cuts a body into parts of `size`. */
function parts(body: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(body.length / size) }, (_, i) => body.subarray(i * size, (i + 1) * size))
}

const compressed = async (compressor: Compressor, body: readonly Buffer[]): Promise<Buffer> =>
  Buffer.concat(await compressor.compress(body))

/** Runs a program; `undefined` where it, or what it needs, is not on this machine. */
function program(name: string, args: readonly string[], input?: Buffer): Buffer | undefined {
  const { error, status, stdout, stderr } = spawnSync(name, args, { input, maxBuffer: 64 * 1024 * 1024 })
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') return undefined
  if (stderr?.includes('ModuleNotFoundError')) return undefined
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${name} ${args.join(' ')} said ${status}: ${stderr}`)
  return stdout
}

function sameOrSkipped(t: Test, read: Buffer | undefined, body: Buffer, what: string): void {
  if (read === undefined) t.pass('not tried', { skip: `${what} is not on this machine` })
  else t.ok(read.equals(body), what)
}

/** Blocks of a container, read by the package's own raw decoder; fails where a length is not what it says. */
function readBlocks(file: Buffer, start: number, withLength: boolean): Buffer[] {
  const blocks: Buffer[] = []
  for (let at = start; at < file.length; ) {
    const length = withLength ? file.readUInt32BE(at) : undefined
    if (withLength) at += 4
    const end = at + 4 + file.readUInt32BE(at)
    const block = Buffer.from(uncompressSync(file.subarray(at + 4, end)))
    if (length !== undefined && length !== block.length) throw new Error(`${length} announced, ${block.length} came`)
    if (block.length === 0 || block.length > 32_768) throw new Error(`a block of ${block.length}`)
    blocks.push(block)
    at = end
  }
  if (blocks.slice(0, -1).some(({ length }) => length !== 32_768)) throw new Error('a short block is not the last')
  return blocks
}

const xerialHead = Buffer.from('82534e41505059000000000100000001', 'hex')
const MiB = 1_048_576

t.test('snappy: the stream of snappy-java', async (t) => {
  const body = sample(3 * MiB + 77)
  const file = await compressed(snappy(), parts(body, 50_000))
  t.ok(file.subarray(0, 16).equals(xerialHead))
  t.ok(Buffer.concat(readBlocks(file, 16, false)).equals(body))
  t.ok(file.length < body.length / 2, 'smaller')
})

t.test("hadoopSnappy: Hadoop's blocks", async (t) => {
  const body = sample(3 * MiB + 77)
  const file = await compressed(hadoopSnappy(), parts(body, 50_000))
  t.ok(Buffer.concat(readBlocks(file, 0, true)).equals(body))
  const script =
    'import sys; from snappy.hadoop_snappy import stream_decompress as d; d(sys.stdin.buffer, sys.stdout.buffer)'
  sameOrSkipped(t, program('/usr/bin/python3', ['-c', script], file), body, 'python-snappy')
})

t.test('snappy: any body in any parts comes back', async (t) => {
  const part = fc.oneof(
    fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array)),
    fc.constantFrom(0, 1, 32_767, 32_768, 32_769, 262_144, 300_000).map(sample),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 6 }), async (body) => {
      const plain = Buffer.concat(body)
      const [xerial, hadoop] = [await compressed(snappy(), body), await compressed(hadoopSnappy(), body)]
      t.ok(Buffer.concat(readBlocks(xerial, 16, false)).equals(plain))
      t.ok(Buffer.concat(readBlocks(hadoop, 0, true)).equals(plain))
    }),
    { numRuns: 25, examples: [[[]], [[Buffer.alloc(0)]]] },
  )
})

t.test('snappy: others have their turn', async (t) => {
  let turns = 0
  const count = (): void => {
    turns += 1
    next = setImmediate(count)
  }
  let next = setImmediate(count)
  await snappy().compress(parts(sample(4 * MiB), 65_536))
  clearImmediate(next)
  t.ok(turns >= 15, `${turns} turns in 16 quarters of a mebibyte`)
})

t.test('zip: one entry with a new UUID for a name', async (t) => {
  for (const [size, level] of [
    [3 * MiB + 77, 6],
    [100_000, 0],
    [0, 1],
  ] as const) {
    const body = sample(size)
    const file = await compressed(zip({ level }), parts(body, 50_000))
    const path = join(t.testdir(), 'body.zip')
    writeFileSync(path, file)
    const names = program('unzip', ['-Z1', path])?.toString().trim()
    if (names === undefined) t.pass('not tried', { skip: 'unzip is not on this machine' })
    else t.match(names, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    if (names !== undefined) sameOrSkipped(t, program('unzip', ['-p', path]), body, 'unzip')
    const script =
      'import sys, io, zipfile; z = zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read())); [n] = z.namelist(); sys.stdout.buffer.write(z.read(n))'
    sameOrSkipped(t, program('python3', ['-c', script], file), body, 'python')
    if (size > MiB) t.ok(file.length < body.length / 4, 'deflated')
  }
  t.strictSame([threadPool.running, threadPool.waiting], [0, 0])
  t.throws(() => zip({ level: 10 }), OptionError)
  const [one, other] = await Promise.all([zip(), zip()].map((compressor) => compressed(compressor, [sample(10)])))
  t.notOk(one?.subarray(0, 66).equals(other ?? Buffer.alloc(0)), 'another name each time')
})

t.test('formats say what they are', async (t) => {
  t.strictSame(
    [snappy(), hadoopSnappy(), zip()].map(({ name, extension, contentEncoding }) => [name, extension, contentEncoding]),
    [
      ['snappy', '.snappy', 'snappy-java'],
      ['hadoopSnappy', '.snappy', 'hadoop-snappy'],
      ['zip', '.zip', 'zip'],
    ],
  )
})

t.test('a package that is missing is missed at once, and one that is broken when it is used', async (t) => {
  const wanted = { compression: 'zip', name: 'yazl', resolve: () => '', load: () => import('yazl') }
  const load = optionalPackage(wanted)
  t.equal(await load(), await load(), 'loaded once')
  const missing = (): never => {
    throw new Error('Cannot find package')
  }
  t.throws(() => optionalPackage({ ...wanted, resolve: missing }), {
    code: 'Compress.Unavailable',
    message: 'zip: it needs the package yazl: Cannot find package. npm install yazl',
  })
  const broken = optionalPackage({ ...wanted, load: () => Promise.reject(new Error('no native build')) })
  await t.rejects(broken(), {
    code: 'Compress.Unavailable',
    message: /yazl is installed, but cannot be loaded: no native/,
  })
})
