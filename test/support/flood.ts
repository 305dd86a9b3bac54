/**
 * Run as a process of its own with little memory: a source without end in front of destinations that never answer. Prints a line of
 * JSON for each case: how much the source was asked for before it was stopped, and how much memory that took.
 */
import { Readable, type Writable } from 'node:stream'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  backupTo,
  batch,
  deliver,
  fail,
  fanOut,
  field,
  firehose,
  gzip,
  json,
  lines,
  MiB,
  type Send,
  sourceBackup,
  split,
  transform,
  unbatch,
} from '../../src/index.ts'

/** What a case measures. */
export interface Flooded {
  readonly name: string
  /** Bytes that the source gave. */
  readonly read: number
  /** Bytes that the case's limits allow. */
  readonly allowed: number
  /** How much it had to give, where it is not to be stopped. */
  readonly until: number | undefined
  /** How much the process grew, in bytes. */
  readonly grown: number
  /** Bytes that the living branch, and the backup of the dead one, had taken. */
  readonly alive: number
  readonly backedUp: number
}

const dead: Send = () => new Promise(() => undefined)
let alive = 0
let backedUp = 0
const living: Send = async ({ byteLength }) => {
  alive += byteLength
}
const backup: Send = async ({ byteLength }) => {
  backedUp += byteLength
}

const limits = { maxBytes: MiB, maxOpenBytes: 16 * MiB }
const inFlight = { concurrency: 8, maxInFlightBytes: 8 * MiB }
const pending = { maxPendingBytes: 8 * MiB }
const allowed = 24 * MiB

interface Case {
  readonly way: () => readonly Writable[]
  readonly allowed: number
  /** What the source gives; default: bytes of lines. */
  readonly source?: (give: (bytes: number) => void) => Readable
  /** The case ends when the source has given so much; for those that are not to be stopped. */
  readonly until?: number
}

const padding = 'x'.repeat(60)
const line = (i: number): string => `{"i":${i},"key":"k${i % 1000}","text":"${padding}"}`

/**
 * A source without end.
 *
 * @param make - Makes the next chunk, in memory of its own: the same one again would cost nothing.
 */
function source(options: { readonly objectMode: boolean }, make: (i: number) => unknown): Readable {
  let i = 0
  return new Readable({
    ...options,
    read() {
      i += 1
      // As from a file or a socket, the event loop turns now and then; it would not while all chunks are there at once.
      if (i % 16 === 0) setImmediate(() => this.push(make(i)))
      else this.push(make(i))
    },
  })
}

/** Lines, in chunks of 64 KiB. */
function bytes(give: (bytes: number) => void): Readable {
  const size = 65_536
  const all = Buffer.from(`${Array.from({ length: 10_000 }, (_, i) => line(i)).join('\n')}\n`)
  const chunks = Math.ceil(all.length / size)
  return source({ objectMode: false }, (i) => {
    const chunk = Buffer.from(all.subarray(((i - 1) % chunks) * size, (((i - 1) % chunks) + 1) * size))
    give(chunk.length)
    return chunk
  })
}

/** Lines of 2 KiB: where each record costs work of its own, there are fewer of them. */
function longLines(give: (bytes: number) => void): Readable {
  const text = 'y'.repeat(2000)
  const lines = Buffer.from(`${Array.from({ length: 32 }, (_, i) => JSON.stringify({ i, text })).join('\n')}\n`)
  return source({ objectMode: false }, () => {
    give(lines.length)
    return Buffer.from(lines)
  })
}

const objects = (size: number) => (give: (bytes: number) => void) =>
  source({ objectMode: true }, (i) => {
    give(size)
    return { i, key: `k${i % 1000}`, text: Buffer.alloc(size, 97 + (i % 26)).toString('latin1') }
  })

const cases: Record<string, Case> = {
  'one destination': { way: () => [split(lines()), batch(limits), deliver(dead, inFlight)], allowed },
  'a thousand keys': {
    way: () => [split(lines()), batch({ ...limits, maxOpenKeys: 1000, key: field('key') }), deliver(dead, inFlight)],
    allowed,
  },
  'a thousand keys, few of them open': {
    way: () => [split(lines()), batch({ ...limits, maxOpenKeys: 10, key: field('key') }), deliver(dead, inFlight)],
    allowed,
  },
  'no batches': { way: () => [split(lines()), deliver(dead, inFlight)], allowed },
  'single objects': { way: () => [batch(limits), deliver(dead, inFlight)], allowed, source: objects(400) },
  'single objects with keys': {
    way: () => [
      transform(json((event: object) => event)),
      batch({ ...limits, key: field('key') }),
      deliver(dead, inFlight),
    ],
    allowed,
    source: objects(400),
  },
  'objects of a megabyte': {
    way: () => [batch(limits), deliver(dead, inFlight)],
    allowed,
    source: objects(MiB),
  },
  'large single objects': { way: () => [batch(limits), deliver(dead, inFlight)], allowed, source: objects(65_536) },
  'single objects straight to the destination': {
    way: () => [deliver(dead, inFlight)],
    allowed,
    source: objects(1000),
  },
  'a firehose with everything': {
    way: () => [
      firehose({
        split: lines(),
        sourceBackup: [batch(limits), deliver(living)],
        transform: json((event: object) => event),
        batch: { ...limits, key: field('key') },
        to: dead,
        compress: gzip(),
        ...inFlight,
      }),
    ],
    allowed,
  },
  'promises that never settle': {
    way: () => [
      split(lines()),
      transform(() => new Promise(() => undefined), { concurrency: 100 }),
      batch(limits),
      deliver(living),
    ],
    allowed: 0,
  },
  'a dead backup': {
    way: () => [
      split(lines()),
      transform(() => fail('no')),
      batch(limits),
      deliver(living, { ...inFlight, backup: dead, backupBatch: { maxBytes: MiB } }),
    ],
    allowed,
  },
  "a transform's own dead backup": {
    way: () => [
      split(lines()),
      transform(() => fail('no'), { backup: backupTo(dead, { ...inFlight, backupBatch: { maxBytes: MiB } }) }),
      batch(limits),
      deliver(living),
    ],
    allowed,
  },
  'a dead copy of the source': {
    way: () => [
      split(lines()),
      sourceBackup([batch(limits), deliver(dead, inFlight)], pending),
      batch(limits),
      deliver(living),
    ],
    allowed: allowed + pending.maxPendingBytes,
  },
  'a dead branch that blocks': {
    way: () => [
      split(lines()),
      fanOut([batch(limits), deliver(living)], { to: [batch(limits), deliver(dead, inFlight)], ...pending }),
    ],
    allowed: allowed + pending.maxPendingBytes,
  },
  'a dead branch with a backup': {
    way: () => [
      split(lines()),
      fanOut([batch(limits), deliver(living)], {
        to: [batch(limits), deliver(dead, inFlight)],
        whenFull: 'backup',
        backup: backupTo(backup, { backupBatch: { maxBytes: MiB } }),
        ...pending,
      }),
    ],
    allowed: allowed + pending.maxPendingBytes,
    source: longLines,
    until: 48 * MiB,
  },
  'somebody else who does not read': { way: () => [split(lines()), batch(limits), unbatch()], allowed },
}

/** So many turns of the event loop without a read mean that the source is stopped: nothing here waits for time or for others. */
const stillTurns = 500

async function flood(name: string, { way: make, allowed, source: sourceOf = bytes, until }: Case): Promise<Flooded> {
  alive = 0
  backedUp = 0
  await collected()
  const before = process.memoryUsage.rss()
  let [read, quiet, most] = [0, 0, 0]
  const input = sourceOf((bytes) => {
    read += bytes
    quiet = 0
  })
  const [first, ...rest] = make()
  if (first === undefined) throw new RangeError(`${name} has no stream`)
  const way = [input, first, ...rest]
  for (const stream of way) {
    stream.on('error', (error) => {
      throw error
    })
  }
  let from: Readable = input
  for (const to of [first, ...rest]) {
    from.pipe(to)
    if (isReadable(to)) from = to
  }
  for (quiet = 0; quiet < stillTurns; quiet += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    if (quiet % 16 === 0) most = Math.max(most, process.memoryUsage.rss())
    if (read > (until ?? 1000 * MiB)) break
  }
  const result = { name, read, allowed, until, grown: most - before, alive, backedUp }
  for (const stream of way)
    stream
      .removeAllListeners('error')
      .on('error', () => undefined)
      .destroy()
  return result
}

function isReadable(stream: unknown): stream is Readable {
  return stream instanceof Readable
}

/** Lets what is destroyed go, and collects garbage: what a case leaves behind is not the next one's. */
async function collected(): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  for (let i = 0; i < 3; i += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    if (typeof collect === 'function') collect()
  }
}

console.log(getHeapStatistics().heap_size_limit)
for (const [name, one] of Object.entries(cases)) console.log(JSON.stringify(await flood(name, one)))
