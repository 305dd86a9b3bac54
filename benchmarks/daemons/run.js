/**
 * Runs the same jobs by hosepipe and by whatever of the others is installed, one after another, and checks what came of it:
 *
 *     node run.js [--mebibytes 256] [--rounds 3] [--jobs files,edit] [--programs hosepipe,jq]
 *
 * With all jobs and programs the tables and the picture of README.md are written.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { dataFile } from '../support/data.js'
import { machine } from '../support/machine.js'
import { MiB, median } from '../support/numbers.js'
import { jobs } from './jobs.js'
import { configName, programs } from './programs.js'
import { writeReport } from './report.js'

const { values: options } = parseArgs({
  options: {
    mebibytes: { type: 'string', default: '256' },
    rounds: { type: 'string', default: '3' },
    jobs: { type: 'string' },
    programs: { type: 'string' },
  },
})
const mebibytes = Number(options.mebibytes)
const customers = 100
/** A program that takes longer, in milliseconds, hangs. */
const longest = 600_000
const input = await dataFile('1 KB', mebibytes, customers)
const start = process.cwd()

const found = Object.fromEntries(
  Object.entries(programs).map(([name, { words }]) => [name, words.find((word) => isInstalled(word))]),
)
const results = {}
for (const job of options.jobs?.split(',') ?? Object.keys(jobs)) {
  const names = (options.programs?.split(',') ?? Object.keys(programs)).filter((name) => programs[name].jobs[job])
  const there = names.filter((name) => found[name] !== undefined)
  const passes = Object.fromEntries(there.map((name) => [name, []]))
  for (let round = 0; round < Number(options.rounds); round += 1) {
    // Each round begins with another program: what ran before matters to the file system.
    for (let i = 0; i < there.length; i += 1) {
      const name = there[(round + i) % there.length]
      passes[name].push(await pass(job, name, round === 0))
    }
  }
  results[job] = Object.fromEntries(there.map((name) => [name, figures(passes[name])]))
  for (const name of names) if (found[name] === undefined) console.log(`${job}: ${name} is not installed`)
}
if (options.jobs === undefined && options.programs === undefined) {
  await writeReport({ results, machine: machine(), mebibytes, rounds: Number(options.rounds), found })
}

/** Runs a program once, in a folder of its own. */
async function pass(job, name, checks) {
  const folder = mkdtempSync(join(tmpdir(), 'hosepipe-daemons-'))
  process.chdir(folder)
  try {
    // Nobody pays for what another program has left to be written.
    execFileSync('sync')
    const given = programs[name].jobs[job]
    const command = typeof given === 'function' ? given(found[name]) : given
    const timed = `TIMEFORMAT='%R %U %S'; time { ${command}\n}`
    const { status, stdout, stderr } = spawnSync('bash', ['-c', timed], {
      env: { ...process.env, IN: input },
      encoding: 'utf8',
      maxBuffer: 64 * MiB,
      timeout: longest,
    })
    rmSync(configName, { force: true })
    const [, wall, user, system] = /(\d+\.\d+) (\d+\.\d+) (\d+\.\d+)\s*$/.exec(stderr) ?? []
    if (status !== 0 || wall === undefined) throw new Error(`${name}, ${job}: code ${status}: ${stderr}${stdout}`)
    if (checks) await jobs[job].check(input, folder)
    const seconds = { wall: Number(wall), cpu: Number(user) + Number(system) }
    console.log(`${job}: ${name}: ${seconds.cpu.toFixed(2)} s of processor in ${seconds.wall.toFixed(2)} s`)
    return seconds
  } finally {
    process.chdir(start)
    rmSync(folder, { recursive: true, force: true })
  }
}

function figures(passes) {
  return { wall: median(passes.map(({ wall }) => wall)), cpu: median(passes.map(({ cpu }) => cpu)) }
}

function isInstalled(word) {
  try {
    execFileSync('bash', ['-c', `command -v ${word}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
