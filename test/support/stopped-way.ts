/**
 * Run as a process of its own: stops ways with the machine's own clock, at work on files and in the thread pool, and says what is
 * left of each. The process then has to end by itself.
 */
import { createReadStream, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { file } from '../../src/destinations/file/index.ts'
import {
  batch,
  deliver,
  fail,
  fanOut,
  firehose,
  gzip,
  json,
  lines,
  type Send,
  sourceBackup,
  split,
  transform,
} from '../../src/index.ts'

const dir = process.argv[2] ?? '.'
const input = join(dir, 'input.ndjson')
writeFileSync(input, Array.from({ length: 200_000 }, (_, i) => `{"i":${i}}\n`).join(''))

const hang: Send = () => new Promise(() => undefined)
const refuse: Send = () => Promise.reject(new Error('not now'))
const longTimes = {
  timeout: 3_600_000,
  retry: { retryFor: 3_600_000, minDelay: 600_000 },
  backupBatch: { maxAge: 3_600_000 },
}
const gathering = { maxBytes: 10_000, maxAge: 3_600_000 }
const to = (name: string) => file({ dir: join(dir, name) })
const source = () => createReadStream(input)
const endless = () => Readable.from(again())

async function* again() {
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve))
    yield '{"i":1}\n'
  }
}

const ways: Record<string, () => readonly (Readable | Writable)[]> = {
  'send never answers': () => [source(), split(lines()), batch(gathering), deliver(hang, longTimes)],
  'a retry waits': () => [source(), split(lines()), batch(gathering), deliver(refuse, { ...longTimes, backup: hang })],
  'files and gzip': () => [
    source(),
    firehose({
      split: lines(),
      batch: gathering,
      to: to('files'),
      backup: to('failed'),
      compress: gzip(),
      ...longTimes,
    }),
  ],
  'an open batch': () => [endless(), split(lines()), batch({ maxAge: 3_600_000 }), deliver(to('open'))],
  'an open batch of the backup': () => [
    endless(),
    split(lines()),
    transform(() => fail('no')),
    batch(),
    deliver(to('good'), { ...longTimes, backup: to('bad') }),
  ],
  'promises of a transform': () => [
    source(),
    split(lines()),
    transform(
      json(async (event: object) => event),
      { concurrency: 16 },
    ),
    batch(gathering),
    deliver(hang, longTimes),
  ],
  'several branches, and a copy': () => [
    source(),
    split(lines()),
    sourceBackup([batch(gathering), deliver(to('copy'))]),
    fanOut(
      [batch(gathering), deliver(hang, longTimes)],
      firehose({ to: to('branch'), batch: gathering, ...longTimes }),
    ),
  ],
}

/** What keeps a process alive, but for its own input and output. */
function resources(): string[] {
  return process.getActiveResourcesInfo().filter((name) => !/^(Pipe|TTY|FSReqPromise|CloseReq)/.test(name))
}

process.on('unhandledRejection', (error) => {
  console.log('nobody handled', error)
})

for (const [name, make] of Object.entries(ways)) {
  for (const how of ['destroy', 'error', 'signal']) {
    const before = resources()
    const controller = new AbortController()
    const way = make()
    const closed = way.map((stream) => new Promise((resolve) => stream.once('close', resolve)))
    let error: unknown
    const done = pipeline(way, { signal: controller.signal }).catch((thrown) => {
      error = thrown
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    if (how === 'signal') controller.abort()
    else way.at(-1)?.destroy(how === 'error' ? new Error('enough') : undefined)
    await Promise.all([done, ...closed])
    const left = await leftOver(before)
    const outcome = error === undefined ? 'it went on to the end' : 'stopped'
    console.log(`${name}, ${how}: ${outcome}, ${left.length === 0 ? 'nothing' : left.join(' ')} left`)
  }
}

/** What is there that was not there before, once calls under way in the thread pool have had time to come back. */
async function leftOver(before: readonly string[]): Promise<readonly string[]> {
  for (let turns = 0; ; turns += 1) {
    const left = resources()
    for (const name of before) if (left.includes(name)) left.splice(left.indexOf(name), 1)
    if (left.length === 0 || turns === 100) return left
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
