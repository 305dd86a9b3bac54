/**
 * Names batches by where their records came from, so that a replay of the same records, in the same batches, has the same names:
 *
 *     app.log#7, 0–65536: records 0–399 and 65536–131072: records 0–211   →   0-131072-<hash of all of that>
 *
 * A receipt says only where its whole run came from, and the run's records may be in several batches. What tells those apart is
 * how many of the run's records, with the same partition key, had their batch named before.
 */
import { createHash } from 'node:crypto'
import type { Batch } from '../../batch/batch.ts'
import { HosepipeError } from '../../errors.ts'
import { type Account, type Position, Receipt } from '../../receipts/receipts.ts'
import type { Records } from '../../records/records.ts'

/** How many records were named so far, by their partition key. */
type Named = Map<string | undefined, number>

/** Of the hash in hexadecimal; 128 bits. */
const hashDigits = 32
/** A sequence number of Kinesis has 56 digits. */
const maxPositionLength = 64

/** See the head of this file. Batches have to come in the order of their records, each once. */
export class PositionNames {
  /** A position is one object for all receipts of its run, also in the branches of a fan-out, each of which has an account. */
  readonly #named = new WeakMap<Account, WeakMap<Position, Named>>()

  /**
   * Makes the name of a batch: letters, digits, `-`, `_`, `.` and no more than 163 of them.
   *
   * @throws HosepipeError `Delivery.NoObjectKey` when a record came without a position, or a position without a source: a name
   *   from it could be another batch's.
   */
  nameOf(batch: Pick<Batch, 'key' | 'runs'>): string {
    const hash = createHash('sha256').update(JSON.stringify([batch.key ?? null]))
    let first: Position | undefined
    let last: Position | undefined
    for (const { account, position, count } of sharesOfAll(batch.runs)) {
      const { source, from, to } = position
      const before = this.#count(account, position, batch.key, count)
      hash.update(JSON.stringify([source, from, to, before, count]))
      first ??= position
      last = position
    }
    if (first === undefined || last === undefined) throw noName('the batch has no records')
    return `${readable(first.from)}-${readable(last.to)}-${hash.digest('hex').slice(0, hashDigits)}`
  }

  /** Adds to the records that were named, and says how many there were before. */
  #count(account: Account, position: Position, key: string | undefined, count: number): number {
    const positions = this.#named.get(account) ?? new WeakMap<Position, Named>()
    this.#named.set(account, positions)
    const named: Named = positions.get(position) ?? new Map()
    positions.set(position, named)
    const before = named.get(key) ?? 0
    named.set(key, before + count)
    return before
  }
}

/**
 * Where the first record of a batch began, and where the last one ended, as they stand in names.
 *
 * @throws HosepipeError `Delivery.NoObjectKey` when a record came without a position.
 */
export function rangeOf(runs: readonly Records[]): { readonly first: string; readonly last: string } {
  const shares = runs.flatMap(sharesOf)
  const first = positionOf(shares[0]?.receipt.position)
  return { first: readable(first.from), last: readable(positionOf(shares.at(-1)?.receipt.position).to) }
}

/** The shares of all runs; those in a row that are of one position are one, however many runs its records came in. */
function sharesOfAll(runs: readonly Records[]): readonly { account: Account; position: Position; count: number }[] {
  const all: { account: Account; position: Position; count: number }[] = []
  for (const { receipt, count } of runs.flatMap(sharesOf)) {
    const position = positionOf(receipt.position)
    const last = all.at(-1)
    if (last?.position === position && last.account === receipt.account) last.count += count
    else all.push({ account: receipt.account, position, count })
  }
  return all
}

/** Records of a run in a row that go back to one receipt. */
interface Share {
  readonly receipt: Receipt
  readonly count: number
}

/** A run from a splitter has one receipt; only one that was put together from several has more. */
function sharesOf({ receipt, length }: Records): readonly Share[] {
  if (receipt instanceof Receipt) return [{ receipt, count: length }]
  const shares: { receipt: Receipt; count: number }[] = []
  for (let i = 0; i < length; i += 1) {
    const last = shares.at(-1)
    const next = receipt.at(i)
    if (last?.receipt === next) last.count += 1
    else shares.push({ receipt: next, count: 1 })
  }
  return shares
}

function positionOf(position: Position | undefined): Position {
  if (position === undefined) throw noName('a record came without a position')
  if (position.source === undefined) {
    throw noName(
      "a record's position has no source; give the input a name, as in split(lines(), { source: 'app.log' })",
    )
  }
  return position
}

function noName(reason: string): HosepipeError {
  return new HosepipeError('Delivery.NoObjectKey', `no object key can be made from positions: ${reason}`)
}

/** A position as people find it in a listing; what makes names different is the hash. */
function readable(position: number | string): string {
  return String(position)
    .replace(/[^\w.-]/g, '_')
    .slice(0, maxPositionLength)
}
