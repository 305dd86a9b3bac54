import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { dist } from '../support/build.js'
import { discarding } from '../support/count.js'
import { batch, json, lines, sourceOf, split, transform } from '../support/hosepipe.js'

const { jq, jqWeb } = await import(new URL('transform/jq/index.js', dist).href)

export const title = 'Queries of jq: each record becomes an object of three members'
export const note =
  'The query is `{customer, level: (.level|ascii_upcase), name: "\\(.service // "none")-\\(.id % 100)"}`, and the closure does the same; both parse each record. jq itself is the program, in a process of its own, and wall time is what counts there.'
export const shapes = ['100 B', '1 KB']

const query = '{customer, level: (.level|ascii_upcase), name: "\\(.service // "none")-\\(.id % 100)"}'
const closure = (event) => ({
  customer: event.customer ?? null,
  level: event.level.toUpperCase(),
  name: `${event.service ?? 'none'}-${event.id % 100}`,
})

const ours = (make) => async (file) => {
  const { found, end } = discarding()
  await pipeline(sourceOf(file), split(lines()), transform(await make()), batch(), end)
  return { records: found.records }
}

async function program(file) {
  const jqProgram = spawn('jq', ['-c', query, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  let records = 0
  jqProgram.stdout.on('data', (chunk) => {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) records += 1
  })
  await once(jqProgram, 'close')
  return { records }
}

export const ways = {
  hosepipe: { run: ours(() => jq(query)) },
  'hosepipe, a closure by hand': { run: ours(() => json(closure)) },
  'hosepipe, jqWeb()': { run: ours(() => jqWeb(query)), slow: true },
  'jq, the program': { run: program, slow: true },
}

export const targets = []
