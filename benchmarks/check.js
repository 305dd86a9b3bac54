/**
 * Guards against gross losses: `node check.js [--against DIR]`, where DIR is another build of hosepipe that is measured instead.
 * Measures the cheap ways, each a few times on little data, and ends with code 1 when ours is less than half as fast, in the
 * speed of a rival on the same machine, as results.json says. Ratios that look lost are measured once more first: a busy machine
 * may halve a speed, but seldom twice.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { compared } from './support/compare.js'
import { allResults } from './support/results.js'
import { interleave } from './support/run.js'
import { casesOf, load } from './support/suite.js'

const tolerated = 0.5
const rounds = 3
const least = 250

const { values: options } = parseArgs({ options: { against: { type: 'string' } } })
if (options.against !== undefined) process.env.HOSEPIPE_BUILD = resolve(options.against)

/** Nothing is compared with reading alone: how fast memory is, and how new, differs between machines by more than a loss. */
const checks = [
  ['batch', '1 KB', 'split2 + hand batching'],
  ['split', '1 KB', 'split2'],
  ['transform', '1 KB', 'bare loop'],
  ['transform', '1 KB', 'pipeline of Transforms'],
].map(([stage, shape, against]) => ({ stage, shape, against }))

const kept = await allResults()
let results = await judge(checks)
const lost = results.filter(({ isLoss }) => isLoss)
if (lost.length > 0) {
  const again = await judge(lost)
  results = results.map(
    (each) => again.find(({ stage, against }) => stage === each.stage && against === each.against) ?? each,
  )
}
const losses = results.filter(({ isLoss }) => isLoss)
console.log(
  losses.length === 0
    ? `${results.length} ratios, none below ${tolerated} of the table's`
    : `${losses.length} of ${results.length} ratios are below ${tolerated} of the table's, or could not be measured`,
)
process.exitCode = losses.length === 0 ? 0 : 1

/** Measures what some checks need, and prints and returns how they ended. */
async function judge(wanted) {
  const now = {}
  for (const name of new Set(wanted.map(({ stage }) => stage))) {
    const stage = await load(name)
    const ofStage = wanted.filter((check) => check.stage === name)
    for (const shape of new Set(ofStage.map((check) => check.shape))) {
      const rivals = ofStage.filter((check) => check.shape === shape).map(({ against }) => against)
      const cases = casesOf(stage, shape, { quick: true, rounds }).filter((each) =>
        ['hosepipe', ...rivals].includes(each.name),
      )
      now[name] = { ...now[name], [shape]: await interleave(name, shape, cases, { least, log: failuresOnly }) }
    }
  }
  const ended = compared(wanted, now, kept, tolerated)
  for (const { stage, shape, against, found, usual, isLoss } of ended) {
    const verdict = isLoss ? 'LOST' : 'ok'
    console.log(`${stage}, ${shape}: ${text(found)} the speed of ${against}; in the table ${text(usual)}: ${verdict}`)
  }
  return ended
}

function failuresOnly(line) {
  if (line.includes('FAILED')) console.error(line)
}

function text(ratio) {
  return ratio === undefined ? 'unknown' : `${ratio.toFixed(2)} ×`
}
