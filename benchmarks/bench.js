/**
 * Measures the stages against their rivals: `node bench.js [--quick] [--rounds N] [--only split,batch] [--shapes '1 KB']
 * [--against DIR]`, where DIR is another build of hosepipe. Prints each case as it ends, writes results.json, and from it the
 * tables and pictures. See README.md for the method.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { machine } from './support/machine.js'
import { keep } from './support/results.js'
import { interleave } from './support/run.js'
import { casesOf, leastOf, load, quickNames, shapesOf, stageNames } from './support/suite.js'
import { table } from './support/table.js'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    shapes: { type: 'string' },
    against: { type: 'string' },
  },
})
const extent = { quick: options.quick, rounds: options.rounds === undefined ? undefined : Number(options.rounds) }
const names = options.only?.split(',') ?? (options.quick ? quickNames : stageNames)
const log = (line) => console.log(`${seconds()} ${line}`)
const tables = []
/** Ways of ours are called so; among the keys they are called by how many there are. */
const isOurs = /^hosepipe|^[\d,]+ keys?$/

for (const name of names) {
  const stage = await load(name)
  const measured = {}
  for (const shape of options.shapes?.split(',') ?? shapesOf(stage, extent)) {
    const cases = casesOf(stage, shape, extent)
    measured[shape] = await interleave(name, shape, [...cases, ...otherBuild(cases)], {
      least: leastOf(stage, extent),
      log,
    })
  }
  const { title, note, base, targets } = stage
  const result = { title, note, base, targets, machine: machine(), quick: options.quick, shapes: measured }
  tables.push(`## ${title}`, ...Object.keys(measured).map((shape) => table(shape, result)))
  // Another build's figures are for the eye.
  if (options.against === undefined) await keep(name, result)
}

console.log(`\n${tables.join('\n\n')}\n\n${seconds()} done`)
if (options.against === undefined) {
  // In a process of its own: the one that starts what is measured is to stay small.
  const report = fileURLToPath(new URL('report.js', import.meta.url))
  const { status } = spawnSync(process.execPath, [report], { stdio: 'inherit' })
  process.exitCode = status ?? 1
}

/** The same with the other build, where there is one to compare. */
function otherBuild(cases) {
  const { against: build } = options
  const ours = build === undefined ? [] : cases.filter(({ name }) => isOurs.test(name))
  return ours.map((each) => ({ ...each, name: `${build}: ${each.name}`, build }))
}

function seconds() {
  return `${(performance.now() / 1000).toFixed(0).padStart(4)} s`
}
