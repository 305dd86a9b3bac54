/**
 * Parses a block of records with one `JSON.parse`, which costs 0.75 of one call for each.
 *
 *     {"a":1} \n {"a":2} \n {"a":3}   →   [ {"a":1} , S , {"a":2} , S , {"a":3} ]
 *
 * Joined by commas alone, malformed records could make up for one another: `{"a":1` with `"b":2}` is one object, and `1,2` two
 * numbers. So between any two stands S, a number that no record can know: unless the array has exactly the records at its even
 * places and S at all odd ones, the block is parsed record by record.
 */
import { randomInt } from 'node:crypto'
import type { Records } from '../records.ts'

const sentinel = randomInt(2 ** 29, 2 ** 30)
const separator = `\n,${sentinel},`
/** Larger blocks leave the processor's cache and are slower. */
export const blockBytes = 65_536
/** What may stand between two records of a block, in bytes: a newline, or CRLF. */
const maxGap = 2
/** After a block that could not be parsed as one, so many are parsed record by record; doubled each time. */
const maxPenalty = 64

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
    const values = parseBlock(block)
    if (values === undefined) {
      this.#penalty = Math.min(maxPenalty, this.#penalty * 2 + 1)
      this.#skip = this.#penalty
    } else this.#penalty = 0
    return values
  }
}

function parseBlock(block: Records): unknown[] | undefined {
  const { length } = block
  const from = block.start(0)
  const to = block.ends[length - 1] ?? from
  if (to - from > block.byteLength + maxGap * length) return undefined
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

function withoutSentinels(parsed: unknown[], length: number): unknown[] | undefined {
  for (let i = 1; i < parsed.length; i += 2) if (parsed[i] !== sentinel) return undefined
  for (let i = 1; i < length; i += 1) parsed[i] = parsed[2 * i]
  parsed.length = length
  return parsed
}
