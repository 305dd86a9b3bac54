/**
 * What `npm start` does: real data goes through firehoses, into gzipped objects on the disk, and everything that was written is read
 * again and counted. Ends with code 1 when anything does not add up.
 *
 *     npm start -- [folder]        default: a new folder among the system's temporary ones
 */
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { MiB } from '../index.ts'
import { earthquakes } from './earthquakes.ts'
import { flightLines, flights, writeFlightLines } from './flights.ts'
import { mistakes, type Result, run } from './run.ts'
import { speedOfStages } from './stages.ts'

const [folder] = process.argv.slice(2)
const parent = folder === undefined ? tmpdir() : resolve(folder)
await mkdir(parent, { recursive: true })
const dir = await mkdtemp(join(parent, 'hosepipe-'))
console.log(`Real data goes through hosepipe into ${dir}, is read again and counted.\n`)

const wrong: string[] = []
const ndjson = join(dir, 'flights.ndjson')
await writeFlightLines(ndjson)
for (const dataset of [flights, flightLines(ndjson), earthquakes]) {
  const result = await run(dataset, dir)
  console.log(words(result))
  wrong.push(...mistakes(result))
}
console.log('flights.ndjson, stage by stage')
for (const { stages, bytesPerSecond } of await speedOfStages(ndjson)) {
  console.log(`  ${stages.padEnd(12)}${(bytesPerSecond / 1e6).toFixed(0).padStart(5)} MB/s`)
}
const peak = Math.round(process.resourceUsage().maxRSS / 1024)
console.log(`\npeak memory   ${peak} MiB`)
if (wrong.length > 0) {
  console.error(wrong.join('\n'))
  process.exitCode = 1
}

function words({ name, about, stats, seconds, noted, delivered, backedUp, failure }: Result): string {
  const { batches, bytes } = stats
  const reasons = Object.entries(batches).map(([reason, count]) => `${count} by ${reason}`)
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['in', `${grouped(stats.in)} records in ${seconds.toFixed(1)} s`],
    [
      '= delivered',
      `${grouped(stats.delivered)}, of which ${grouped(delivered.records)} were found in ${objects(delivered.objects)}`,
    ],
    ['+ dropped', grouped(stats.dropped)],
    [
      '+ backed up',
      `${grouped(stats.backedUp)}, of which ${grouped(backedUp.records)} were found in ${objects(backedUp.objects)}`,
    ],
    ['+ pending', grouped(stats.pending)],
    ['a record', noted.before],
    ['  becomes', noted.after],
    ['a failure', failure && `${failure.record} ${failure.errorCode}: ${failure.errorMessage}`],
    ['an object', delivered.first],
    ['batches', `${reasons.join(', ')}; ${stats.retries} retries`],
    ['bytes', `${mebibytes(bytes.before)} before compression, ${mebibytes(bytes.after)} after`],
  ]
  const lines = rows.flatMap(([label, value]) => (value === undefined ? [] : [`  ${label.padEnd(12)}${short(value)}`]))
  return [`${name}: ${about}`, ...lines, ''].join('\n')
}

/** So long that a line fits a terminal. */
function short(text: string): string {
  const longest = 110
  return text.length > longest ? `${text.slice(0, longest - 40)} … ${text.slice(-37)}` : text
}

function objects(count: number): string {
  return count === 1 ? '1 object' : `${grouped(count)} objects`
}

function grouped(count: number): string {
  return count.toLocaleString('en-US')
}

function mebibytes(bytes: number): string {
  return `${(bytes / MiB).toFixed(2)} MiB`
}
