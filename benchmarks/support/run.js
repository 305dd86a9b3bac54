/** Runs the ways of one stage over the data of one shape, each in processes of its own, one after the other, round by round. */
import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { countRecords, dataFile } from './data.js'
import { MiB, median } from './numbers.js'

const measureFile = fileURLToPath(new URL('measure.js', import.meta.url))
const execute = promisify(execFile)
const warmUpMebibytes = 16
/** A way that is stuck is no way. */
const timeout = 300_000

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {string} way - Its name in the stage.
 * @property {string} [build] - Another build of ours.
 * @property {number} rounds
 * @property {number} mebibytes - How much data.
 * @property {number} [keys] - How many keys there are in the data.
 * @property {boolean} [changes] - Whether it changes records where others of its stage do not, and so counts other bytes.
 * @property {boolean} [isIdle] - Whether it does nothing, and only its memory is of interest.
 *
 * @typedef {object} Result - Medians over the rounds.
 * @property {number} bytes - Those that were read.
 * @property {number} records - How many there are in them.
 * @property {number} ms
 * @property {number} best - The fastest pass of all, in milliseconds.
 * @property {number} cpu - Milliseconds of processor, of all threads.
 * @property {number} maxRss - Bytes.
 * @property {number} [written] - Bytes that were left by compression.
 * @property {number} rounds
 */

/**
 * @param {string} stage - The name of a file in `stages`.
 * @param {string} shape
 * @param {readonly Case[]} cases
 * @param {{least: number, log: (line: string) => void}} options - For how many milliseconds a case is measured at least.
 * @returns {Promise<Record<string, Result | {failed: string}>>} By the names of the cases. A case that fails in one round is
 *   left out of the others.
 */
export async function interleave(stage, shape, cases, { least, log }) {
  const runs = Object.fromEntries(cases.map(({ name }) => [name, []]))
  const failures = {}
  const counts = {}
  const rounds = Math.max(...cases.map((each) => each.rounds))
  for (let round = 1; round <= rounds; round += 1) {
    for (const each of cases) {
      const { name } = each
      if (round > each.rounds || failures[name] !== undefined) continue
      const label = `${stage} · ${shape} · ${name} · ${round}/${each.rounds}`
      try {
        const run = await measure(stage, shape, each, least)
        mustAgree(counts, run.counted, each.changes ? 'changed' : '')
        runs[name].push(run)
        log(`${label}: ${each.isIdle ? '' : `${rate(run)}, `}${Math.round(run.maxRss / MiB)} MiB`)
      } catch (error) {
        failures[name] = reason(error)
        log(`${label}: FAILED: ${failures[name]}`)
      }
    }
  }
  return Object.fromEntries(
    cases.map(({ name, isIdle }) => {
      if (failures[name] !== undefined) return [name, { failed: failures[name] }]
      const { maxRss, ...figures } = summary(runs[name])
      return [name, isIdle ? { maxRss } : { ...figures, maxRss }]
    }),
  )
}

async function measure(stage, shape, { way, build, mebibytes, keys }, least) {
  const warmUp = await dataFile(shape, Math.min(warmUpMebibytes, mebibytes), keys)
  const file = await dataFile(shape, mebibytes, keys)
  const env = { ...process.env, ...(build !== undefined && { HOSEPIPE_BUILD: build }) }
  const task = JSON.stringify({ stage, way, shape, warmUp, file, least })
  const { stdout } = await execute(process.execPath, [measureFile, task], { env, timeout })
  const { size: bytes } = await stat(file)
  return { ...JSON.parse(stdout), bytes, records: await recordsOf(file) }
}

const known = new Map()
async function recordsOf(file) {
  if (!known.has(file)) known.set(file, await countRecords(file))
  return known.get(file)
}

/** Ways that count the same thing in the same file must have counted the same: who does less work is no rival. */
function mustAgree(counts, counted, what) {
  for (const [file, found] of Object.entries(counted)) {
    for (const unit of ['records', 'bytes']) {
      const count = found[unit]
      if (count === undefined) continue
      const key = `${file} ${unit} ${what}`
      counts[key] ??= count
      const first = counts[key]
      if (count !== first) throw new Error(`counted ${count} ${unit} where others counted ${first}`)
    }
  }
}

function rate({ bytes, ms }) {
  return `${(bytes / 1e6 / (ms / 1000)).toFixed(0)} MB/s`
}

function summary(runs) {
  const of = (field) => median(runs.map((run) => run[field]))
  const [{ bytes, records, written }] = runs
  const best = Math.min(...runs.map((run) => run.best))
  return { bytes, records, ms: of('ms'), best, cpu: of('cpu'), maxRss: of('maxRss'), written, rounds: runs.length }
}

/** The line of a process's last words that says what went wrong. */
function reason({ killed, stderr, message }) {
  if (killed) return `took more than ${timeout / 1000} s`
  const lines = (stderr ?? '').split('\n')
  return lines.find((line) => /^\s*[\w.]*(Error|Exception)\b/.test(line))?.trim() ?? message.split('\n')[0]
}
