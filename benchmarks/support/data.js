/**
 * Makes the data once: newline-delimited JSON, the same bytes on every machine. Log events of three lengths are generated, with
 * about 20 values a kilobyte; one in 64 has text of several bytes a character, because a file that is all ASCII lets a parser
 * take ways that real data does not. Flights are real, and as many as there are, over and over.
 */
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readFile, rename, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { denseEvent, generator, logEvent } from './events.js'
import { MiB } from './numbers.js'

const folder = new URL('../data/', import.meta.url)
/** What is made at most; larger files repeat it. */
const madeMebibytes = 64
const usualKeys = 500

const isDebug = (level) => level === 'debug'
const log = { key: 'customer', filter: { field: 'level', keeps: (level) => !isDebug(level) } }

/**
 * The shapes of records: `size` is about what one takes, in bytes; `key` is the field that tells partitions apart; `filter` is
 * what P4 asks.
 */
export const shapes = {
  '100 B': { ...log, file: 'log-100b', size: 100, make: logEvent },
  '1 KB': { ...log, file: 'log-1kb', size: 1_000, make: logEvent },
  '1 KB dense': { ...log, file: 'dense-1kb', size: 1_000, make: denseEvent },
  '10 KB': { ...log, file: 'log-10kb', size: 10_000, make: logEvent },
  flights: { file: 'flights', size: 90, key: 'origin', filter: { field: 'delay', keeps: (delay) => delay > 0 } },
}

/**
 * The path of the data of one shape.
 *
 * @param {string} shape - A name of {@link shapes}.
 * @param {number} mebibytes - About how much.
 * @param {number} [keys] - How many customers there are; flights have their airports.
 */
export async function dataFile(shape, mebibytes, keys = usualKeys) {
  const { file } = shapes[shape]
  const name = keys === usualKeys ? file : `${file}-${keys}-keys`
  const path = fileURLToPath(new URL(`${name}-${mebibytes}.ndjson`, folder))
  if (await exists(path)) return path
  await mkdir(folder, { recursive: true })
  const chunks =
    mebibytes > madeMebibytes
      ? repeated(await dataFile(shape, madeMebibytes, keys), mebibytes / madeMebibytes)
      : made(shape, mebibytes * MiB, keys)
  const unfinished = createWriteStream(`${path}.part`)
  for await (const chunk of chunks) if (!unfinished.write(chunk)) await once(unfinished, 'drain')
  unfinished.end()
  await once(unfinished, 'close')
  await rename(`${path}.part`, path)
  return path
}

/** How many records a file has. */
export async function countRecords(path) {
  let records = 0
  for await (const chunk of createReadStream(path, { highWaterMark: MiB })) {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) records += 1
  }
  return records
}

async function* repeated(path, times) {
  for (let i = 0; i < times; i += 1) yield* createReadStream(path, { highWaterMark: MiB })
}

async function* made(shape, bytes, keys) {
  const { make } = shapes[shape]
  yield* make === undefined ? flights(bytes) : events(shapes[shape], bytes, keys)
}

function* events({ size, make }, bytes, keys) {
  const random = generator(size)
  for (let [id, written] = [0, 0]; written < bytes; ) {
    let text = ''
    for (; text.length < MiB; id += 1) text += `${JSON.stringify(make(id, size, keys, random))}\n`
    const chunk = Buffer.from(text)
    written += chunk.length
    yield chunk
  }
}

async function* flights(bytes) {
  const source = new URL('../data/flights-20k.json', import.meta.resolve('vega-datasets'))
  const all = JSON.parse(await readFile(source, 'utf8'))
  const lines = Buffer.from(all.map((flight) => `${JSON.stringify(flight)}\n`).join(''))
  for (let written = 0; written < bytes; written += lines.length) yield lines
}

async function exists(path) {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (error.code === 'ENOENT') return false
    throw error
  }
}
