import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { Batch } from '../../src/batch/batch.ts'
import { batch } from '../../src/batch/batch-stage.ts'
import { none } from '../../src/compress/none.ts'
import { deliver } from '../../src/deliver/deliver.ts'
import type { Destination, Request, SendContext } from '../../src/deliver/destination.ts'
import { makeRequest } from '../../src/deliver/request.ts'
import { type FileSystem, systemFiles } from '../../src/destinations/file/file-system.ts'
import { type FileOptions, file, type OpenFile } from '../../src/destinations/file/index.ts'
import { clearTemporary, temporaryBytes, temporaryName } from '../../src/destinations/file/temporary.ts'
import { memory } from '../../src/destinations/memory/index.ts'
import { jsonArray } from '../../src/encode/json-array.ts'
import { ndjson } from '../../src/encode/ndjson.ts'
import { HosepipeError, OptionError } from '../../src/errors.ts'
import { Account } from '../../src/receipts/receipts.ts'
import { Records } from '../../src/records/records.ts'

const arrivedAt = Date.parse('2018-08-27T10:30:05.123Z')

interface Shape {
  readonly records?: readonly string[]
  readonly partitionKeys?: Readonly<Record<string, string>>
  readonly outputType?: string
}

function batchOf({ records = ['{"a":1}', '{"a":2}'], partitionKeys = {}, outputType }: Shape = {}): Batch {
  const from = { receipt: new Account().open(records.length, arrivedAt), arrivedAt }
  const facts = { key: undefined, partitionKeys, openedAt: arrivedAt, closedBy: 'end', outputType } as const
  const runs = records.map((record) => Records.pack(from, [record]))
  return new Batch(runs, facts)
}

/** The key that `deliver` would ask for. */
function keyOf(to: Destination, shape?: Shape): string {
  const extension = (to.encode ?? ndjson()).extension + (to.compress?.extension ?? '')
  return to.objectKey?.(batchOf(shape), extension) ?? ''
}

/** The request that `deliver` would make. */
function requestFor(to: Destination, shape?: Shape): Promise<Request> {
  const [batch, objectKey] = [batchOf(shape), keyOf(to, shape)]
  return makeRequest({ batch, encode: to.encode ?? ndjson(), compress: to.compress, objectKey })
}

const context = (signal = new AbortController().signal): SendContext => ({ attempt: 1, signal })

/** All files below a folder, hidden ones included, by their paths in it. */
function filesIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
    .sort()
}

const isTemporary = (path: string): boolean => /^\..*\.[0-9a-f]{8}-\d+-[0-9a-f]{12}\.tmp$/.test(basename(path))

/** The real file system, with a test's hand before and after each call. */
class WatchedFiles implements FileSystem {
  /** The calls so far: `open`, `writev`; a folder's are `open folder`, `sync folder`. */
  readonly calls: string[] = []
  before: (index: number, call: string) => void = () => {}
  after: (index: number, call: string) => void = () => {}
  /** Bytes that one call of writev takes. */
  maxWrite = Number.POSITIVE_INFINITY
  readonly #open = new Set<OpenFile>()

  mkdir(path: string): Promise<unknown> {
    return this.#call('mkdir', () => systemFiles.mkdir(path))
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call('rename', () => systemFiles.rename(from, to))
  }

  unlink(path: string): Promise<void> {
    return this.#call('unlink', () => systemFiles.unlink(path))
  }

  async open(path: string, flags: 'wx' | 'r'): Promise<OpenFile> {
    const what = flags === 'r' ? ' folder' : ''
    let opened: OpenFile | undefined
    const handle = await this.#call(`open${what}`, async () => {
      opened = await systemFiles.open(path, flags)
      this.#open.add(opened)
      return opened
    })
    return {
      writev: (buffers) => this.#call('writev', () => handle.writev(this.#fewer(buffers))),
      sync: () => this.#call(`sync${what}`, () => handle.sync()),
      close: () =>
        this.#call(`close${what}`, async () => {
          await handle.close()
          this.#open.delete(handle)
        }),
    }
  }

  /** Closes what a crash left open. */
  async release(): Promise<void> {
    for (const handle of this.#open) await handle.close()
    this.#open.clear()
  }

  #fewer(buffers: readonly Uint8Array[]): readonly Uint8Array[] {
    const fewer: Uint8Array[] = []
    let left = this.maxWrite
    for (const buffer of buffers) {
      fewer.push(buffer.subarray(0, Math.min(buffer.length, left)))
      left -= buffer.length
      if (left <= 0) break
    }
    return fewer
  }

  async #call<T>(call: string, run: () => Promise<T>): Promise<T> {
    this.calls.push(call)
    const index = this.calls.length
    this.before(index, call)
    try {
      return await run()
    } finally {
      this.after(index, call)
    }
  }
}

const nested = { prefix: 'a/!{partitionKey:k}/!{timestamp:yyyy}/' }
const shape = { partitionKeys: { k: 'v' }, records: ['first', 'second', 'third'] }
const body = 'first\nsecond\nthird\n'
/** What one send to a new folder does, in order. */
const steps = [
  ...['mkdir'],
  ...['mkdir', 'open folder', 'sync folder', 'close folder'],
  ...['mkdir', 'open folder', 'sync folder', 'close folder'],
  ...['mkdir', 'open folder', 'sync folder', 'close folder'],
  ...['open', 'writev', 'sync', 'close', 'rename'],
  ...['open folder', 'sync folder', 'close folder'],
]

/** A destination in a folder that is there, in which its own is not. */
function watched(t: Test, options: Partial<FileOptions> = {}) {
  const parent = t.testdir({})
  const fs = new WatchedFiles()
  const dir = join(parent, 'out')
  mkdirSync(dir)
  return { fs, dir, to: file({ ...nested, ...options, dir, fs }) }
}

t.test('writes each batch to a file of its own', async (t) => {
  const dir = join(t.testdir({}), 'made', 'when', 'needed')
  const to = file({ dir, prefix: 'logs/', timeZone: 'Asia/Kolkata', name: 'events', concurrency: 2 })
  t.match(to, { name: 'file', concurrency: 2 })
  t.throws(() => readdirSync(dir), { code: 'ENOENT' }, 'nothing is made before the first file')
  const requests = [await requestFor(to), await requestFor(to, { records: ['x'], outputType: 'processing-failed' })]
  for (const request of requests) t.equal(await to.send(request, context()), undefined)
  const files = filesIn(dir)
  t.same(files, requests.map(({ objectKey }) => objectKey).sort())
  t.match(files[0], /^logs\/2018\/08\/27\/16\/events-1-2018-08-27-16-00-05-[0-9a-f-]{36}\.ndjson$/)
  t.match(files[1], /^logs\/processing-failed\/2018\/08\/27\/16\/events-1-/)
  t.equal(readFileSync(join(dir, files[0] ?? ''), 'utf8'), '{"a":1}\n{"a":2}\n')
  t.equal(readFileSync(join(dir, files[1] ?? ''), 'utf8'), 'x\n')
})

t.test('extensions: of format and compression, or the one that is given', async (t) => {
  const zipped = { ...none, extension: '.gz' }
  const endOf = (options: Partial<FileOptions>) => {
    const key = keyOf(file({ dir: 'x', ...options }))
    return key.slice(key.indexOf('.'))
  }
  t.equal(endOf({ compress: zipped }), '.ndjson.gz')
  t.equal(endOf({ encode: jsonArray(), compress: zipped }), `${jsonArray().extension}.gz`)
  t.equal(endOf({ compress: zipped, extension: '.log' }), '.log')
})

t.test('every step, in order: a folder is on the disk before what is in it', async (t) => {
  const { fs, to, dir } = watched(t)
  await to.send(await requestFor(to, shape), context())
  t.same(fs.calls, steps)
  fs.calls.length = 0
  await to.send(await requestFor(to, shape), context())
  t.same(fs.calls, steps.slice(-8), 'known folders are not made again')
  const quick = new WatchedFiles()
  const unsynced = file({ ...nested, dir, fs: quick, fsync: false })
  await unsynced.send(await requestFor(unsynced, shape), context())
  t.same(quick.calls, ['mkdir', 'mkdir', 'mkdir', 'mkdir', 'open', 'writev', 'close', 'rename'])
})

t.test('folders that many need at once are made once, and each waits until they are on the disk', async (t) => {
  const { fs, to, dir } = watched(t, { prefix: 'a/b/!{partitionKey:k}/' })
  let synced = 0
  fs.after = (_, call) => {
    if (call === 'sync folder') synced += 1
    if (call === 'open' && synced < 3) t.fail('a file was opened before its folders were on the disk')
  }
  const shapes = Array.from({ length: 20 }, (_, i) => ({ partitionKeys: { k: `k${i % 5}` } }))
  await Promise.all(shapes.map(async (each) => to.send(await requestFor(to, each), context())))
  t.equal(fs.calls.filter((call) => call === 'mkdir').length, 1 + 2 + 5)
  t.equal(filesIn(dir).length, 20)
})

t.test('a crash at any call leaves no half file, and the retry makes a whole one', async (t) => {
  for (const when of ['before', 'after', 'torn'] as const) {
    let crashes = 0
    for (let k = 1; ; k += 1) {
      const { fs, to, dir } = watched(t)
      const crash = new Error('crash')
      let dead = false
      const die = (index: number, call: string): void => {
        // A dead process does nothing more: what it would do to clean up fails as well, before it is done.
        dead ||= index === k && (when !== 'torn' || call === 'writev')
        if (dead) throw crash
      }
      fs.before = (index, call) => {
        if (when === 'before' || dead) die(index, call)
        fs.maxWrite = when === 'torn' && index === k ? 8 : Number.POSITIVE_INFINITY
      }
      if (when !== 'before') fs.after = die
      const request = await requestFor(to, shape)
      const error: unknown = await Promise.resolve(to.send(request, context())).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      await fs.release()
      if (error === undefined && k > steps.length) break
      if (error !== undefined) {
        crashes += 1
        t.equal(error, crash, `${when} call ${k}`)
      }
      const whole = filesIn(dir).filter((path) => !isTemporary(path))
      for (const path of whole) t.equal(readFileSync(join(dir, path), 'utf8'), body)
      const restarted = file({ ...nested, dir, fsync: false })
      await restarted.send(request, context())
      t.same(
        filesIn(dir).filter((path) => !isTemporary(path)),
        [request.objectKey],
      )
      t.equal(readFileSync(join(dir, request.objectKey ?? ''), 'utf8'), body)
      rmSync(dir, { recursive: true })
    }
    t.equal(crashes, when === 'torn' ? 1 : steps.length)
  }
})

t.test('an error of any call is passed on as it is, nothing is left, and the next attempt goes well', async (t) => {
  for (const [index, call] of steps.entries()) {
    for (const code of ['ENOSPC', 'ENOENT']) {
      const { fs, to, dir } = watched(t)
      const failure = Object.assign(new Error(`${code} at ${call}`), { code })
      // A close that fails has closed the file all the same.
      const hook = call.startsWith('close') ? 'after' : 'before'
      fs[hook] = (at) => {
        if (at === index + 1) throw failure
      }
      const request = await requestFor(to, shape)
      const sent = await Promise.resolve(to.send(request, context())).then(
        () => 'sent',
        (error: unknown) => error,
      )
      // A folder that is missing is made again at once, as long as no file is open.
      const isMissing = code === 'ENOENT' && index < steps.indexOf('writev')
      t.equal(sent, isMissing ? 'sent' : failure, `${call}, call ${index + 1}, ${code}`)
      if (sent !== 'sent') {
        t.same(filesIn(dir), index < steps.length - 3 ? [] : [request.objectKey], 'no temporary file')
        await to.send(request, context())
      }
      t.same(filesIn(dir), [request.objectKey])
      t.equal(readFileSync(join(dir, request.objectKey ?? ''), 'utf8'), body)
      await fs.release()
      rmSync(dir, { recursive: true })
    }
  }
})

t.test('the first error counts, whatever happens while cleaning up', async (t) => {
  const { fs, to, dir } = watched(t)
  const failure = Object.assign(new Error('disk full'), { code: 'ENOSPC' })
  fs.before = (_, call) => {
    if (call === 'writev') throw failure
    if (call === 'unlink') throw new Error('cannot unlink')
  }
  fs.after = (_, call) => {
    if (call === 'close') throw new Error('cannot close')
  }
  await t.rejects(Promise.resolve(to.send(await requestFor(to, shape), context())), failure)
  const [left, ...others] = filesIn(dir)
  t.same(others, [])
  t.match(basename(left ?? ''), /^\.hosepipe-1-.*\.ndjson\.[0-9a-f]{8}-\d+-[0-9a-f]{12}\.tmp$/, 'what stays is hidden')
})

t.test('an abort between any two steps leaves nothing, or the whole file', async (t) => {
  for (let k = 0; k < steps.length; k += 1) {
    const { fs, to, dir } = watched(t)
    const abort = new AbortController()
    const reason = new Error('stopped')
    if (k === 0) abort.abort(reason)
    fs.after = (index) => {
      if (index === k) abort.abort(reason)
    }
    const request = await requestFor(to, shape)
    const sent = Promise.resolve(to.send(request, context(abort.signal)))
    if (k < steps.indexOf('rename') + 1) {
      await t.rejects(sent, reason, `aborted after call ${k}`)
      t.same(filesIn(dir), [])
    } else {
      await t.resolves(sent)
      t.same(filesIn(dir), [request.objectKey])
    }
    if (k === 0) t.same(fs.calls, [], 'aborted before it began: no call at all')
    rmSync(dir, { recursive: true })
  }
})

t.test('however little a call writes, and however many parts there are', async (t) => {
  const cases = [
    { length: 40, maxWrite: 1, calls: 890 },
    { length: 40, maxWrite: 7, calls: 128 },
    { length: 1100, maxWrite: 1000, calls: 26 },
    { length: 1100, maxWrite: Number.POSITIVE_INFINITY, calls: 3 },
  ]
  for (const { length, maxWrite, calls } of cases) {
    const { fs, to, dir } = watched(t)
    fs.maxWrite = maxWrite
    const records = Array.from({ length }, (_, i) => `${i}${'x'.repeat(i % 40)}`)
    const request = await requestFor(to, { ...shape, records })
    const parts = records.flatMap((record) => [Buffer.from(record), Buffer.alloc(0), Buffer.from('\n')])
    await to.send({ ...request, objectKey: request.objectKey, parts }, context())
    t.equal(
      readFileSync(join(dir, request.objectKey ?? ''), 'utf8'),
      `${records.join('\n')}\n`,
      `${maxWrite} at a time`,
    )
    t.equal(fs.calls.filter((call) => call === 'writev').length, calls)
    rmSync(dir, { recursive: true })
  }
  const { fs, to } = watched(t)
  fs.maxWrite = 0
  await t.rejects(Promise.resolve(to.send(await requestFor(to, shape), context())), { message: /wrote nothing/ })
})

t.test('a folder that somebody deletes is made again', async (t) => {
  const { to, dir } = watched(t)
  await to.send(await requestFor(to, shape), context())
  rmSync(join(dir, 'a'), { recursive: true })
  await to.send(await requestFor(to, shape), context())
  t.equal(filesIn(dir).length, 1)
  rmSync(dir, { recursive: true })
  await to.send(await requestFor(to, { ...shape, partitionKeys: { k: 'other' } }), context())
  t.equal(filesIn(dir).length, 1)
})

t.test('real errors of the file system come as they are', async (t) => {
  const dir = t.testdir({ taken: 'a file' })
  const to = file({ dir: join(dir, 'taken'), prefix: 'x/' })
  await t.rejects(Promise.resolve(to.send(await requestFor(to), context())), { code: 'ENOTDIR', syscall: 'mkdir' })
})

/** Values as hostile as they come. */
const value = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.string({
    unit: fc.constantFrom('.', '/', '\\', '%', '2', 'E', 'F', '~', '\0', '\n', 'a', 'é', '\ud83d', '\ude00'),
    maxLength: 12,
  }),
  fc.constantFrom(
    '',
    '.',
    '..',
    '../',
    '/etc/passwd',
    '..\\..',
    '%',
    '%2E',
    '%2F',
    'CON',
    '~',
    '\ud800',
    '\udfff',
    '\ufffd',
  ),
  fc
    .tuple(fc.constantFrom('x', 'é', '😀', '%', '/'), fc.integer({ min: 60, max: 1500 }))
    .map(([unit, n]) => unit.repeat(n)),
)
const prefixes = [
  '!{partitionKey:k}/',
  'k=!{partitionKey:k}/!{timestamp:yyyy}/',
  '/!{partitionKey:k}/..x/',
  'a/!{partitionKey:k}-',
  '!{partitionKey:k}',
  `${'long/'.repeat(200)}!{partitionKey:k}/`,
  Array.from({ length: 30 }, () => '!{partitionKey:k}/').join(''),
]
const nameBytes = `hosepipe-1-2018-08-27-10-30-05-${'u'.repeat(36)}.ndjson`.length

/** The key of a value; `undefined` where it is refused for its length. */
function keyUnlessTooLong(to: Destination, k: string): string | undefined {
  try {
    return keyOf(to, { partitionKeys: { k } })
  } catch (error) {
    if (error instanceof HosepipeError && / bytes, but at most \d+ are possible/.test(error.message)) return undefined
    throw error
  }
}

t.test('no value leads out of dir, makes a path that is too long, or shares a folder with another', async (t) => {
  const dir = t.testdir({})
  const destinations = prefixes.map((prefix) => file({ dir, prefix }))
  fc.assert(
    fc.property(value, value, fc.constantFrom(...destinations), (one, other, to) => {
      const [key, otherKey] = [one, other].map((k) => keyUnlessTooLong(to, k))
      if (key === undefined || otherKey === undefined) return
      const path = resolve(dir, `./${key}`)
      if (!path.startsWith(`${dir}/`)) throw new Error(`${key} leads out`)
      if (Buffer.byteLength(path) > 4095 - temporaryBytes) throw new Error(`${Buffer.byteLength(path)} bytes of path`)
      for (const name of key.split('/')) {
        if (Buffer.byteLength(name) > 255) throw new Error(`${Buffer.byteLength(name)} bytes of name`)
        // Those from U+0080 on are letters to Hive, which reads them back only as they are.
        const hasControl = [...name].some((character) => character < ' ' || character === '\x7f')
        if (name === '.' || name === '..' || hasControl || name.includes('\\')) throw new Error(`a bad name: ${name}`)
      }
      if (Buffer.from(key).toString() !== key) throw new Error('the key changes when it is written as UTF-8')
      const isSame = key.slice(0, -nameBytes) === otherKey.slice(0, -nameBytes)
      if (isSame !== (one === other)) throw new Error(`${key} and ${otherKey}`)
    }),
    { numRuns: 1000 },
  )
})

t.test('values as hostile as that can be written and read', async (t) => {
  const dir = t.testdir({})
  const destinations = prefixes.map((prefix) => file({ dir, prefix, fsync: false }))
  await fc.assert(
    fc.asyncProperty(value, fc.constantFrom(...destinations), async (k, to) => {
      if (keyUnlessTooLong(to, k) === undefined) return
      const request = await requestFor(to, { partitionKeys: { k } })
      await to.send(request, context())
      const path = join(dir, request.objectKey ?? '')
      if (readFileSync(path, 'utf8') !== '{"a":1}\n{"a":2}\n') throw new Error('another content')
      if (readdirSync(dirname(path)).some(isTemporary)) throw new Error('a temporary file is left')
    }),
    { numRuns: 100 },
  )
})

t.test('values that need no change have none', async (t) => {
  const to = file({ dir: 'x', prefix: '!{partitionKey:k}/' })
  const folder = (k: string) => keyOf(to, { partitionKeys: { k } }).slice(0, -nameBytes - 1)
  for (const k of ['acme', 'Müller & Söhne', '.a', 'a.b', 'a+b, c', '2018-08-27', '日本', '😀']) t.equal(folder(k), k)
  const changed: [string, string][] = [
    ['a/b', 'a%2Fb'],
    ['..', '.%2E'],
    ['.', '%2E'],
    ['a ', 'a%20'],
    ['', '__HIVE_DEFAULT_PARTITION__'],
    ['__HIVE_DEFAULT_PARTITION__', '%5F_HIVE_DEFAULT_PARTITION__'],
    ['50%', '50%25'],
    ['CON', '%43ON'],
    ['lpt1.txt', '%6Cpt1.txt'],
    ['console', 'console'],
    ['a\\b\0\n\x9f', 'a%5Cb%00%0A\x9f'],
    ['2018-08-27T10:30', '2018-08-27T10%3A30'],
    [`"#%'*/:<=>?\\{[]^|\x7f`, '%22%23%25%27%2A%2F%3A%3C%3D%3E%3F%5C%7B%5B%5D%5E%7C%7F'],
    ['\ud800x', '%uD800x'],
  ]
  for (const [from, into] of changed) t.equal(folder(from), into)
  t.throws(() => folder('é'.repeat(200)), {
    code: 'Delivery.NoObjectKey',
    message: `file: the name ${'é'.repeat(20)}… has 400 bytes, but at most 255 are possible`,
  })
})

t.test("escape 'none': values as they are, but none that leads elsewhere", async (t) => {
  const to = file({ dir: 'x', prefix: 'k=!{partitionKey:k}/', escape: 'none' })
  const folder = (k: string) => keyOf(to, { partitionKeys: { k } }).slice(0, -nameBytes - 1)
  for (const k of ['a/b', 'x=y', '50%', 'CON', '..', 'a:b']) t.equal(folder(k), `k=${k}`)
  t.equal(folder('\ud800'), 'k=\ufffd')
  for (const k of ['a/../b', 'a/./b', 'a/..', 'a\0b'])
    t.throws(() => folder(k), { code: 'Delivery.NoObjectKey' }, JSON.stringify(k))
})

t.test('temporary files of dead processes are cleared at the next start, and only those', async (t) => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid
  const name = 'hosepipe-1-x.ndjson'
  const own = temporaryName(name)
  const of = (pid: number): string => own.replace(`-${process.pid}-`, `-${pid}-`)
  const others = [own, of(process.ppid), name, '.mine.tmp', of(dead).replace(/\.[0-9a-f]{8}-/, '.00000000-')]
  const left = ['', '2018/08/27/10/'].map((folder) => folder + of(dead))
  const dir = t.testdir({ '2018': { '08': { '27': { '10': {} } } } })
  for (const path of [...left, ...others]) writeFileSync(join(dir, path), 'x')
  t.equal(await clearTemporary(dir), 2)
  t.same(filesIn(dir).sort(), [...others].sort())
  const old = new Date(Date.now() - 86_400_000)
  utimesSync(join(dir, own), old, old)
  t.equal(await clearTemporary(dir), 1, 'of a former life with the same number')
  t.equal(await clearTemporary(join(dir, 'missing')), 0)
  const many = Object.fromEntries(Array.from({ length: 1200 }, (_, i) => [`${1000 + i}`, { [of(dead)]: 'x' }]))
  t.equal(await clearTemporary(t.testdir(many)), 999, 'the newest folders')
})

t.test('a file that cannot be opened because too many are open waits for another to be closed', async (t) => {
  const { fs, to, dir } = watched(t, { prefix: 'x/' })
  await to.send(await requestFor(to), context())
  let opened = 0
  const most = 2
  fs.before = (_, call) => {
    if (call === 'open' && opened >= most) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
    if (call === 'open') opened += 1
  }
  fs.after = (_, call) => {
    if (call === 'close') opened -= 1
  }
  const end = deliver(to, { concurrency: 8 })
  await pipeline(
    Array.from({ length: 50 }, (_, i) => ({ i })),
    batch({ maxRecords: 1 }),
    end,
  )
  t.match(end.stats(), { delivered: 50, retries: 0 })
  t.equal(filesIn(dir).length, 51)
  fs.before = () => {
    throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
  }
  await t.rejects(
    Promise.resolve(to.send(await requestFor(to), context())),
    { code: 'EMFILE' },
    'nothing of ours to wait for',
  )
})

t.test('a folder that cannot be used is told before anything is written', async (t) => {
  const dir = t.testdir({ taken: 'a file', free: {} })
  for (const path of ['taken', 'taken/deeper/still']) {
    await t.rejects(file({ dir: join(dir, path) }).open?.() ?? Promise.resolve(), {
      constructor: OptionError,
      message: `file: ${join(dir, 'taken')} is no folder`,
    })
  }
  for (const path of ['free', 'free/new/folders']) await file({ dir: join(dir, path) }).open?.()
  t.same(readdirSync(join(dir, 'free')), [], 'nothing is made yet')

  let reads = 0
  const source = new Readable({
    objectMode: true,
    read() {
      reads += 1
      this.push(reads > 1000 ? null : { a: reads })
    },
  })
  const end = deliver(file({ dir: join(dir, 'taken') }), { backup: memory({ name: 'backup' }) })
  await t.rejects(pipeline(source, batch(), end), {
    constructor: OptionError,
    message: /^deliver\.to cannot be used: file: .*taken is no folder$/,
  })
  t.equal(end.stats().retries, 0)
  const backup = deliver(memory(), { backup: file({ dir: join(dir, 'taken') }) })
  await t.rejects(pipeline([{ a: 1 }], backup), { message: /^deliver\.backup cannot be used: file: / })
})

t.test('keys that others made are checked too', async (t) => {
  const { to, dir } = watched(t)
  const request = await requestFor(to, shape)
  const parts = request.parts
  for (const objectKey of ['../x', 'a/../../x', '', '.', undefined]) {
    const sent = Promise.resolve(to.send({ ...request, parts, objectKey }, context()))
    const error: unknown = await sent.catch((thrown: unknown) => thrown)
    t.equal(error instanceof HosepipeError && error.code, 'Delivery.NoObjectKey', String(objectKey))
  }
  t.same(filesIn(dir), [])
})

t.test('options', async (t) => {
  const refused = (options: Record<string, unknown>, expected: RegExp) => {
    const make = () => Reflect.apply(file, undefined, [options])
    t.throws(make, { constructor: OptionError, message: expected }, String(expected))
  }
  refused({}, /^file: dir must be the path of a folder, without NUL, but is missing$/)
  refused({ dir: '' }, /dir must be/)
  refused({ dir: 'a\0b' }, /dir must be/)
  refused({ dir: `/${'x/'.repeat(2000)}` }, /dir must leave 256 bytes/)
  refused({ dir: 'x', prefx: 'y' }, /did you mean prefix\?/)
  refused({ dir: 'x', fsync: 1 }, /fsync must be true or false/)
  refused({ dir: 'x', concurrency: 0 }, /concurrency must be/)
  refused({ dir: 'x', fs: { open() {} } }, /fs must be an object with mkdir/)
  refused({ dir: 'x', prefix: '../x/' }, /prefix cannot be used: the key has a folder named \.\.$/)
  refused(
    { dir: 'x', prefix: 'a/!{partitionKeyFromQuery:k}/../' },
    /prefix cannot be used: the key has a folder named \.\./,
  )
  refused({ dir: 'x', prefix: 'a\0/' }, /prefix cannot be used: the key has a NUL/)
  refused({ dir: 'x', errorPrefix: 'a/../b/' }, /errorPrefix cannot be used: the key has a folder/)
  refused({ dir: 'x', prefix: '!{partitionkey:a}' }, /did you mean partitionKey\?/)
  refused({ dir: 'x', name: 'n'.repeat(64), extension: `.${'x'.repeat(127)}` }, /must leave 55 bytes of a file's name/)
})
