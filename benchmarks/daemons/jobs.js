/** What each program is to do, and what must have come of it. */
import { createHash } from 'node:crypto'
import { createReadStream, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { parquetFacts } from './duck.js'

/** By name: a title, and the check of a folder with what a program has written. */
export const jobs = {
  files: { title: 'file to files', check: sameLines((line) => line) },
  gzip: { title: 'gzip, level 6', check: sameLines((line) => line) },
  partitions: { title: 'a file for each of 100 customers', check: sameLines(sortedMembers) },
  edit: { title: 'drop debug events, add a field, rename another', check: sameLines(sortedMembers, edited) },
  parquet: { title: 'Parquet, columns found in the data', check: sameRows },
}

/** The edit, as a function of an event: `undefined` for what is dropped. */
function edited({ msg, ...event }) {
  return event.level === 'debug' ? undefined : { ...event, message: msg, service: 'api' }
}

/** Programs may put members in another order, and write characters in another way: what they mean is compared. */
function sortedMembers(line) {
  return JSON.stringify(sorted(typeof line === 'string' ? JSON.parse(line) : line))
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]))
}

/**
 * Every record is there, none twice, and nothing else.
 *
 * @param form - The form of a line in which it is compared.
 * @param change - What becomes of an event, where something does.
 */
function sameLines(form, change) {
  return async (input, folder) => {
    const expected = await fingerprint([input], (line) => {
      if (change === undefined) return form(line)
      const made = change(JSON.parse(line))
      return made && form(made)
    })
    const found = await fingerprint(filesBelow(folder), form)
    if (expected !== found) throw new Error(`wrote ${found}, and not ${expected}`)
  }
}

async function sameRows(input, folder) {
  const expected = await fingerprint([input], (line) => String(JSON.parse(line).id))
  const found = await parquetFacts(filesBelow(folder), (ids) => fingerprintOf(ids))
  if (expected !== found) throw new Error(`wrote ${found}, and not ${expected}`)
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
}

/** A number of lines and a sum of their hashes, which has no order. */
async function fingerprint(paths, form) {
  const sum = new Sum()
  for (const path of paths) {
    const bytes = createReadStream(path, { highWaterMark: 1_048_576 })
    const lines = createInterface({ input: path.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes })
    for await (const line of lines) {
      const text = line === '' ? undefined : form(line)
      if (text !== undefined) sum.add(text)
    }
  }
  return String(sum)
}

function fingerprintOf(texts) {
  const sum = new Sum()
  for (const text of texts) sum.add(text)
  return String(sum)
}

class Sum {
  #count = 0
  #sum = 0n

  add(text) {
    this.#count += 1
    this.#sum += createHash('md5').update(text).digest().readBigUInt64LE()
  }

  toString() {
    return `${this.#count} records (${(this.#sum % 2n ** 64n).toString(16)})`
  }
}
