/**
 * What `npm start` does: two files of real data go through a firehose each, into gzipped objects on the disk, and everything that
 * was written is read again and counted. Ends with code 1 when anything does not add up.
 *
 *     npm start -- [folder]        default: a new folder among the system's temporary ones
 */
import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { MiB } from '../index.ts'
import { earthquakes } from './earthquakes.ts'
import { flights } from './flights.ts'
import { mistakes, type Result, run } from './run.ts'

const [folder] = process.argv.slice(2)
const parent = folder === undefined ? tmpdir() : resolve(folder)
await mkdir(parent, { recursive: true })
const dir = await mkdtemp(join(parent, 'hosepipe-'))

const wrong: string[] = []
for (const dataset of [flights, earthquakes]) {
  const result = await run(dataset, dir)
  console.log(words(result))
  wrong.push(...mistakes(result))
}
const peak = Math.round(process.resourceUsage().maxRSS / 1024)
console.log(`peak memory   ${peak} MiB`)
if (wrong.length > 0) {
  console.error(wrong.join('\n'))
  process.exitCode = 1
}

function words({ name, stats, seconds, delivered, backedUp }: Result): string {
  const { batches, bytes } = stats
  const reasons = Object.entries(batches).map(([reason, count]) => `${count} by ${reason}`)
  const rows: readonly (readonly [string, string])[] = [
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
    ['batches', `${reasons.join(', ')}; ${stats.retries} retries`],
    ['bytes', `${mebibytes(bytes.before)} before compression, ${mebibytes(bytes.after)} after`],
    ['objects', delivered.dir],
    ['failures', backedUp.dir],
  ]
  return [name, ...rows.map(([label, value]) => `  ${label.padEnd(12)}${value}`), ''].join('\n')
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
