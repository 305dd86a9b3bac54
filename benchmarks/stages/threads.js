import { pipeline } from 'node:stream/promises'
import { discarding } from '../support/count.js'
import { batch, lines, sourceOf, split, transform } from '../support/hosepipe.js'
import { rival } from '../support/rival.js'

export const title = 'Threads: the parse way with the change made in two threads'
export const note =
  'The threads are started anew for each pass, load the package and the module, and have them compiled, which takes about half a second and counts. So the file is larger here; the loop, which has been compiled before, gets less.'
export const shapes = ['1 KB', '10 KB']
export const mebibytes = 512

const module = new URL('../support/change.js', import.meta.url)

async function ours(file) {
  const { found, end } = discarding()
  await pipeline(sourceOf(file), split(lines()), transform(module, { threads: 2 }), batch(), end)
  return found
}

export const ways = { hosepipe: { run: ours }, 'bare loop': { run: rival('bare-loop', 'bareLoop'), mebibytes: 32 } }

export const targets = [{ id: 'P7', against: 'bare loop', speed: { '1 KB': 1.6, '10 KB': 1.6 } }]
