/**
 * Parses a block of records with one `JSON.parse`, which costs 0.75 of one call for each.
 *
 *     {"a":1} \n {"a":2} \n {"a":3}   →   [ {"a":1} , S , {"a":2} , S , {"a":3} ]
 *
 * Joined by commas alone, malformed records could make up for one another: `{"a":1` with `"b":2}` is one object, and `1,2` two
 * numbers. So between any two stands S, a number that no record can know: unless the array has exactly the records at its even
 * places and S at all odd ones, the block is parsed record by record.
 */
import { isAscii } from 'node:buffer'
import { randomInt } from 'node:crypto'
import type { Records } from '../records/records.ts'

const sentinel = randomInt(2 ** 29, 2 ** 30)
const separator = `\n,${sentinel},`
/** Larger blocks leave the processor's cache and are slower. */
const blockBytes = 65_536
/** The block of values that have no bytes yet: about as many as would fill a block of bytes. */
const maxValues = 512
/** A part of a block that is not halved any more, in bytes. */
const smallestPart = 1_024
/** What may stand between two records of a block, in bytes: a newline, or CRLF. */
const maxGap = 2
/** After a block that could not be parsed as one, so many are parsed record by record; doubled each time. */
const maxPenalty = 64

/** How many records from `from` on make a block: as many as fit in it, and one at least. */
export function blockLength(records: Records, from: number): number {
  if (!records.hasBytes) return Math.min(records.length - from, maxValues)
  return Math.max(1, records.fit(from, records.length, blockBytes, 1))
}

/** Parses blocks, and remembers how that went. */
export class BlockParser {
  #penalty = 0
  #skip = 0

  /** The values of all records of a block; `undefined` where they must be parsed one by one. */
  parse(block: Records): readonly unknown[] | undefined {
    if (block.parsed !== undefined) return block.parsed
    if (block.length < 2) return undefined
    if (this.#skip > 0) {
      this.#skip -= 1
      return undefined
    }
    const values = parseParts(block)
    if (values === undefined) {
      this.#penalty = Math.min(maxPenalty, this.#penalty * 2 + 1)
      this.#skip = this.#penalty
    } else this.#penalty = 0
    return values
  }
}

/**
 * Text that is not all ASCII is parsed a third slower, for its strings have two bytes a character. So a block is halved until such
 * records stand in small parts of their own.
 */
function parseParts(block: Records): unknown[] | undefined {
  const { bytes, ends, length } = block
  const text = bytes.subarray(block.start(0), ends[length - 1])
  if (length === 1 || text.length <= smallestPart || isAscii(text)) return parseBlock(block)
  const middle = length >>> 1
  const values = parseParts(block.slice(0, middle))
  const others = values && parseParts(block.slice(middle, length))
  return others && values.concat(others)
}

function parseBlock(block: Records): unknown[] | undefined {
  const { length } = block
  const from = block.start(0)
  const to = block.ends[length - 1] ?? from
  if (to - from > block.byteLength + maxGap * length || !ascends(block)) return undefined
  const text = block.bytes.toString('utf8', from, to)
  const joined = text.replaceAll('\n', separator)
  // A newline inside of a record would be taken for the end of one.
  if (joined.length - text.length !== (length - 1) * (separator.length - 1)) return undefined
  let parsed: unknown
  try {
    parsed = JSON.parse(`[${joined}]`)
  } catch {
    // Which record is to blame is found when they are parsed one by one.
    return undefined
  }
  return Array.isArray(parsed) && parsed.length === 2 * length - 1 ? withoutSentinels(parsed, length) : undefined
}

/** Whether the records stand in the buffer in their order, which those of `pick` need not. */
function ascends(block: Records): boolean {
  if (block.isFramed) return true
  for (let i = 1; i < block.length; i += 1) if (block.start(i) < (block.ends[i - 1] ?? 0)) return false
  return true
}

function withoutSentinels(parsed: unknown[], length: number): unknown[] | undefined {
  for (let i = 1; i < parsed.length; i += 2) if (parsed[i] !== sentinel) return undefined
  for (let i = 1; i < length; i += 1) parsed[i] = parsed[2 * i]
  parsed.length = length
  return parsed
}
