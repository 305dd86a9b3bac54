/** Writes the table and the picture of README.md. */
import { readFile, writeFile } from 'node:fs/promises'
import { barsOf } from '../support/picture.js'
import { jobs } from './jobs.js'
import { programs } from './programs.js'

const readme = new URL('README.md', import.meta.url)

/** @param report - What was measured: seconds by job and program. */
export async function writeReport({ results, machine, mebibytes, rounds, found }) {
  const names = Object.keys(programs)
  const lines = [
    `${machine}; ${mebibytes} MiB of log events of 1 KB, medians of ${rounds} rounds: seconds of processor (seconds).`,
    '',
    `| | ${names.filter((name) => found[name] !== undefined).join(' | ')} |`,
    `|---|${names
      .filter((name) => found[name] !== undefined)
      .map(() => '--:')
      .join('|')}|`,
    ...Object.entries(results).map(([job, ways]) => {
      const cells = names.filter((name) => found[name] !== undefined).map((name) => cell(ways[name]))
      return `| ${jobs[job].title} | ${cells.join(' | ')} |`
    }),
  ]
  const missing = names.filter((name) => found[name] === undefined)
  if (missing.length > 0) lines.push('', `Not installed there: ${missing.join(', ')}.`)
  const text = await readFile(readme, 'utf8')
  const [from, to] = [text.indexOf('<!-- results -->'), text.indexOf('<!-- end of results -->')]
  await writeFile(readme, `${text.slice(0, from)}<!-- results -->\n${lines.join('\n')}\n${text.slice(to)}`)
  const panels = Object.fromEntries(Object.entries(results).map(([job, ways]) => [jobs[job].title, ways]))
  const shown = { unit: 'seconds of processor (less is better)', figureOf: ({ cpu }) => cpu, columns: 2 }
  await writeFile(
    new URL('daemons.svg', import.meta.url),
    await barsOf('The same job by other programs', panels, shown),
  )
}

function cell(figures) {
  return figures === undefined ? '' : `${short(figures.cpu)} (${short(figures.wall)})`
}

function short(seconds) {
  return seconds < 10 ? seconds.toFixed(2) : seconds.toFixed(1)
}
