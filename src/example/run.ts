import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import type { DeliverStats, Firehose } from '../index.ts'
import { linesBelow } from './lines-below.ts'

/** A part of the npm package vega-datasets, and what is done with it. */
export interface Dataset {
  readonly name: string
  /** Where the data stands in the package. */
  readonly path: string
  /** Makes the stream that takes the data; everything it writes is below `dir`. */
  firehose(dir: string): Firehose
}

/** What became of a dataset. */
export interface Result {
  readonly name: string
  readonly stats: DeliverStats
  readonly seconds: number
  /** Where the objects are, and what was found when they were read again. */
  readonly delivered: { readonly dir: string; readonly objects: number; readonly records: number }
  /** The same of the failed records. */
  readonly backedUp: { readonly dir: string; readonly objects: number; readonly records: number }
}

/** The folder of vega-datasets; its main file is in a folder below. */
const datasets = new URL('..', import.meta.resolve('vega-datasets'))

/** Sends a dataset through its firehose, and reads again what was written. */
export async function run({ name, path, firehose }: Dataset, dir: string): Promise<Result> {
  const started = performance.now()
  const stream = firehose(dir)
  await pipeline(createReadStream(new URL(path, datasets)), stream)
  const seconds = (performance.now() - started) / 1000
  return {
    name,
    stats: stream.stats(),
    seconds,
    delivered: await linesBelow(`${dir}/${name}`),
    backedUp: await linesBelow(`${dir}/${name}-failed`),
  }
}

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
