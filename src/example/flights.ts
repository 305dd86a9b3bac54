import { createReadStream } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { file } from '../destinations/file/index.ts'
import {
  batch,
  deliver,
  drop,
  type Firehose,
  fail,
  field,
  firehose,
  gzip,
  jsonValues,
  lines,
  type Splitter,
  source,
  split,
} from '../index.ts'
import { dataOf } from './data.ts'
import { type Dataset, type Noted, noting } from './run.ts'

/** A flight as the data has it: the delay in minutes, the distance in miles, the time as hours since midnight. */
interface Flight {
  readonly delay: number
  readonly distance: number
  readonly time: number
}

const longestDelay = 300

/** The way of the flights, by the hour of their departure. */
function byHour(name: string, split: Splitter) {
  return (dir: string, noted: Noted): Firehose =>
    firehose({
      split,
      transform: noting(prepare, noted),
      batch: { maxAge: '2s', key: field('hour') },
      compress: gzip(),
      to: file({ dir: `${dir}/${name}`, prefix: 'hour=!{partitionKey:hour}/!{timestamp:yyyy-MM-dd}/' }),
      backup: file({ dir: `${dir}/${name}-failed` }),
    })
}

/** 200,000 flights in a JSON array. */
export const flights: Dataset = {
  name: 'flights',
  about: '200,000 flights in one JSON array, by the hour of their departure',
  input: () => createReadStream(dataOf('flights-200k.json')),
  firehose: byHour('flights', jsonValues()),
}

/** The same as newline-delimited JSON, the faster way: the ends of records are found without looking at what is between. */
export function flightLines(path: string): Dataset {
  return {
    name: 'flights-ndjson',
    about: 'the same as newline-delimited JSON, read by source()',
    input: () => source(path, { reuse: true }),
    firehose: byHour('flights-ndjson', lines()),
  }
}

/** Writes the flights as newline-delimited JSON. */
export async function writeFlightLines(path: string): Promise<void> {
  const append = deliver(async ({ body }) => appendFile(path, body), { concurrency: 1 })
  await pipeline(createReadStream(dataOf('flights-200k.json')), split(jsonValues()), batch(), append)
}

/** Most flights get an hour and kilometres; those on time are of no interest, and the longest delays are implausible. */
export function prepare({ delay, distance, time }: Flight) {
  if (delay === 0) return drop
  if (delay > longestDelay) return fail(`a delay of ${delay} minutes, but ${longestDelay} are the most`)
  const hour = String(Math.floor(time)).padStart(2, '0')
  return { hour, delay, kilometres: Math.round(distance * 1.609) }
}
