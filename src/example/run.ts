import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  type BackupRecord,
  type DeliverStats,
  type Firehose,
  json,
  type RecordFunction,
  type TransformResult,
} from '../index.ts'
import { type Found, firstBackupRecord, linesBelow } from './lines-below.ts'

/** Some data, and what is done with it. */
export interface Dataset {
  readonly name: string
  /** What it is, in one line. */
  readonly about: string
  /** The bytes of the data. */
  input(): Readable
  /** Makes the stream that takes the data; everything it writes is below `dir`. */
  firehose(dir: string, noted: Noted): Firehose
}

/** The first record that a function kept, as it came and as it went. */
export interface Noted {
  before?: string
  after?: string
}

/** What became of a dataset. */
export interface Result {
  readonly name: string
  readonly about: string
  readonly stats: DeliverStats
  readonly seconds: number
  readonly noted: Noted
  readonly delivered: Found
  readonly backedUp: Found
  /** One of the failed records, decoded. */
  readonly failure: (BackupRecord & { readonly record: Buffer }) | undefined
}

/** Sends a dataset through its firehose, and reads again what was written. */
export async function run({ name, about, input, firehose }: Dataset, dir: string): Promise<Result> {
  const noted: Noted = {}
  const started = performance.now()
  const stream = firehose(dir, noted)
  await pipeline(input(), stream)
  const seconds = (performance.now() - started) / 1000
  const backedUp = await linesBelow(`${dir}/${name}-failed`)
  const failure = await firstBackupRecord(backedUp)
  return {
    name,
    about,
    stats: stream.stats(),
    seconds,
    noted,
    delivered: await linesBelow(`${dir}/${name}`),
    backedUp,
    failure,
  }
}

/** A function of parsed records that notes what it makes of the first one that it keeps. */
export function noting<Value>(fn: (value: Value) => TransformResult, noted: Noted): RecordFunction {
  return json((value: Value) => {
    const result = fn(value)
    if (noted.before === undefined && isKept(result)) {
      noted.before = JSON.stringify(value)
      noted.after = JSON.stringify(result)
    }
    return result
  })
}

/** What is said of a record that goes nowhere is no plain object. */
const isKept = (result: unknown): boolean => Object.getPrototypeOf(result) === Object.prototype

/** What does not add up, in words; empty when all is well. */
export function mistakes({ name, stats, delivered, backedUp }: Result): string[] {
  const sum = stats.delivered + stats.dropped + stats.backedUp + stats.pending
  const checks: readonly (readonly [string, number, number])[] = [
    ['records that came in, and the sum of how they ended', stats.in, sum],
    ['records that are pending after the end', 0, stats.pending],
    ['delivered records, and those in the objects', stats.delivered, delivered.records],
    ['backed up records, and those in the backup', stats.backedUp, backedUp.records],
  ]
  return checks.filter(([, a, b]) => a !== b).map(([what, a, b]) => `${name}: ${what}: ${a} and ${b}`)
}
