/**
 * Makes the data once: newline-delimited JSON of log-like events, the same bytes on every machine. One record in 64 has text of
 * several bytes a character, because a file that is all ASCII lets a parser take ways that real data does not.
 */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, stat } from 'node:fs/promises'

const MiB = 1024 * 1024
const folder = new URL('../data/', import.meta.url)
const words = [
  'disk',
  'queue',
  'retry',
  'accepted',
  'from',
  'upstream',
  'after',
  'timeout',
  'of',
  'shard',
  'lease',
  'renewed',
]
const foreign = ['Überlauf', 'données', 'очередь', '遅延', 'naïve', '🙂']
const levels = ['debug', 'info', 'info', 'info', 'warn', 'error']

/** The shapes of records; `size` is about what one takes, in bytes. */
export const shapes = {
  '100 B': { file: '100', size: 100 },
  '1 KB': { file: '1k', size: 1_000 },
  '10 KB': { file: '10k', size: 10_000 },
}

/**
 * The path of the data of one shape.
 *
 * @param {string} shape - A name of {@link shapes}.
 * @param {number} size - About how many bytes.
 */
export async function dataFile(shape, size) {
  const { file, size: recordSize } = shapes[shape]
  const path = new URL(`${file}-${Math.round(size / MiB)}.ndjson`, folder).pathname
  if (await exists(path)) return path
  await mkdir(folder, { recursive: true })
  const unfinished = createWriteStream(`${path}.part`)
  const random = generator(recordSize)
  for (let [id, written] = [0, 0]; written < size; ) {
    let text = ''
    for (; text.length < MiB; id += 1) text += `${JSON.stringify(event(id, recordSize, random))}\n`
    const chunk = Buffer.from(text)
    written += chunk.length
    if (!unfinished.write(chunk)) await once(unfinished, 'drain')
  }
  unfinished.end()
  await once(unfinished, 'close')
  await rename(`${path}.part`, path)
  return path
}

function event(id, size, random) {
  const pick = (list) => list[Math.floor(random() * list.length)]
  const vocabulary = id % 64 === 0 ? foreign : words
  const sentence = (length) => {
    let text = pick(vocabulary)
    while (text.length < length) text += ` ${pick(vocabulary)}`
    return text
  }
  const head = { id, level: pick(levels), customer: `c${Math.floor(random() * 500)}`, ts: 1_700_000_000_000 + id * 7 }
  if (size < 300) return { ...head, msg: sentence(size - 80) }
  const spans = Array.from({ length: Math.round((size - 200) / 110) }, (_, i) => ({
    span: Math.floor(random() * 2 ** 32).toString(16),
    name: `${pick(words)}.${pick(words)}`,
    took: Math.round(random() * 1e5) / 100,
    ok: i % 7 > 0,
    tags: [pick(words), pick(words)],
  }))
  return { ...head, msg: sentence(100), host: { name: `h${id % 97}`, zone: 'b' }, spans }
}

/** Numbers from 0 up to 1, the same for the same seed: mulberry32. */
function generator(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
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
