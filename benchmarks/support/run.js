/** Runs the ways of one stage over the data of one shape, each in processes of its own, one after the other, round by round. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { median } from './numbers.js'

const measureFile = new URL('measure.js', import.meta.url).pathname
const run = promisify(execFile)

/**
 * @param {string} stage - The name of a file in `stages`.
 * @param {readonly {name: string, way: string, build?: string}[]} cases - What is measured, and with which build of ours.
 * @param {{warmUp: string, file: string}} data
 * @param {number} rounds
 * @returns The medians of each case, by its name.
 */
export async function interleave(stage, cases, data, rounds) {
  const found = new Map(cases.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, way, build } of cases) {
      const env = { ...process.env, ...(build !== undefined && { HOSEPIPE_BUILD: build }) }
      const { stdout } = await run(process.execPath, [measureFile, stage, way, data.warmUp, data.file], { env })
      found.get(name).push(JSON.parse(stdout))
    }
  }
  const results = new Map()
  for (const [name, runs] of found) {
    const of = (field) => median(runs.map((each) => each[field]))
    const { records, bytes } = runs[0]
    results.set(name, { records, bytes, ms: of('ms'), cpu: of('cpu'), maxRss: of('maxRss') })
  }
  mustAgree(stage, results)
  return results
}

/** Ways that count the same thing must have counted the same: who does less work is no rival. */
function mustAgree(stage, results) {
  for (const unit of ['records', 'bytes']) {
    const counts = [...results].filter(([, result]) => result[unit] !== undefined)
    if (new Set(counts.map(([, result]) => result[unit])).size > 1) {
      const said = counts.map(([name, result]) => `${name} ${result[unit]}`).join(', ')
      throw new Error(`${stage}: the ways do not agree on the ${unit}: ${said}`)
    }
  }
}
