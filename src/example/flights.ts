import { file } from '../destinations/file/index.ts'
import { drop, type Firehose, fail, field, firehose, gzip, json, jsonValues } from '../index.ts'
import type { Dataset } from './run.ts'

/** A flight as the data has it: the delay in minutes, the distance in miles, the time as hours since midnight. */
interface Flight {
  readonly delay: number
  readonly distance: number
  readonly time: number
}

const longestDelay = 300

/** 200,000 flights in a JSON array, by the hour of their departure. */
export const flights: Dataset = {
  name: 'flights',
  path: 'data/flights-200k.json',
  firehose(dir: string): Firehose {
    return firehose({
      split: jsonValues(),
      transform: json(prepare),
      batch: { maxAge: '2s', key: field('hour') },
      compress: gzip(),
      to: file({ dir: `${dir}/flights`, prefix: 'hour=!{partitionKey:hour}/!{timestamp:yyyy-MM-dd}/' }),
      backup: file({ dir: `${dir}/flights-failed` }),
    })
  },
}

/** Most flights get an hour and kilometres; those on time are of no interest, and the longest delays are implausible. */
function prepare({ delay, distance, time }: Flight) {
  if (delay === 0) return drop
  if (delay > longestDelay) return fail(`a delay of ${delay} minutes, but ${longestDelay} are the most`)
  const hour = String(Math.floor(time)).padStart(2, '0')
  return { hour, delay, kilometres: Math.round(distance * 1.609) }
}
