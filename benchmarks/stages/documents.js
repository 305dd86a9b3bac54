import { pipeline } from 'node:stream/promises'
import { elasticsearchHelper, fetchLoop, openSearchHelper, undiciLoop } from '../rivals/bulk.js'
import { dist } from '../support/build.js'
import { batch, deliver, lines, sourceOf, split } from '../support/hosepipe.js'
import { countedAt, startAnswering } from '../support/sink.js'

const { openSearch } = await import(new URL('destinations/opensearch/index.js', dist).href)

export const title = 'Documents: file → split(lines()) → batch() → bulk requests'
export const note =
  'To a server on the same machine that counts documents and keeps none, four requests of 5 MiB at a time. The helpers are given text, which they do not parse.'
export const shapes = ['1 KB', '100 B']
export const mebibytes = 64

export async function prepare(file) {
  return { file, node: await startAnswering() }
}

const ours = (options) =>
  countedAt((file, node) =>
    pipeline(sourceOf(file), split(lines()), batch(), deliver(openSearch({ node, index: 'bench', ...options }))),
  )

export const ways = {
  hosepipe: { run: ours({}) },
  'hosepipe, without ids': { run: ours({ documentId: 'none' }) },
  'a bare loop over undici': { run: countedAt(undiciLoop) },
  'a loop over fetch': { run: countedAt(fetchLoop), slow: true },
  "helpers.bulk of OpenSearch's client": { run: countedAt(openSearchHelper), slow: true },
  "helpers.bulk of Elasticsearch's client": { run: countedAt(elasticsearchHelper), slow: true },
}

export const targets = []
