/** Makes the tables and pictures of README.md from results.json: `node report.js`. */
import { readFile, writeFile } from 'node:fs/promises'
import { picture, pictures } from './support/picture.js'
import { allResults } from './support/results.js'
import { stageNames } from './support/suite.js'
import { table, targetsTable } from './support/table.js'

const readme = new URL('README.md', import.meta.url)
const results = await allResults()
const measured = stageNames.filter((name) => results[name] !== undefined)
const inOrder = Object.fromEntries(measured.map((name) => [name, results[name]]))

const sections = []
for (const name of measured) {
  const result = results[name]
  const { title, note, shapes } = result
  sections.push(`### ${title}`)
  if (note !== undefined) sections.push(note)
  if (pictures[name] !== undefined) {
    const { file, alt } = pictures[name]
    await writeFile(new URL(file, import.meta.url), await picture(name, result))
    sections.push(`![${alt}](${file})`)
  }
  sections.push(...Object.keys(shapes).map((shape) => table(shape, result)))
}

const text = await readFile(readme, 'utf8')
const filled = fill(
  fill(fill(text, 'machine', conditions()), 'targets', targetsTable(inOrder)),
  'results',
  sections.join('\n\n'),
)
await writeFile(readme, filled)

/** What was measured with what: one line for each machine and extent. */
function conditions() {
  const groups = new Map()
  for (const [name, { machine, quick, shapes }] of Object.entries(inOrder)) {
    const rounds = Math.max(
      ...Object.values(shapes)
        .flatMap(Object.values)
        .map((way) => way.rounds ?? 0),
    )
    const extent = quick ? '**with `--quick`, for orientation only**' : `${rounds} ${rounds === 1 ? 'round' : 'rounds'}`
    const key = `${machine}, ${extent}`
    groups.set(key, [...(groups.get(key) ?? []), name])
  }
  return [...groups].map(([key, names]) => (groups.size === 1 ? `${key}.` : `- ${key}: ${names.join(', ')}`)).join('\n')
}

/** Puts text between the marks of a name. */
function fill(whole, name, content) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`]
  const [from, to] = [whole.indexOf(begin), whole.indexOf(end)]
  if (from === -1 || to < from)
    throw new Error(`README.md has no place for ${name}: it stands between ${begin} and ${end}`)
  return `${whole.slice(0, from + begin.length)}\n${content}\n${whole.slice(to)}`
}
