/** The results, as they are kept between runs. */
import { readFile, writeFile } from 'node:fs/promises'
import { shapes as knownShapes } from './data.js'

const path = new URL('../results.json', import.meta.url)

/** The results by stage; none where nothing was measured yet. */
export async function allResults() {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return {}
    throw error
  }
}

/** Puts a stage's results in the place of its former ones. Shapes that were not measured now stay, if they were measured alike. */
export async function keep(name, result) {
  const all = await allResults()
  const former = all[name]
  const isAlike = former !== undefined && former.machine === result.machine && former.quick === result.quick
  const found = isAlike ? { ...former.shapes, ...result.shapes } : result.shapes
  const inOrder = Object.keys(knownShapes).filter((shape) => found[shape] !== undefined)
  const shapes = Object.fromEntries(inOrder.map((shape) => [shape, found[shape]]))
  await writeFile(path, `${JSON.stringify({ ...all, [name]: { ...result, shapes } }, roundly, 2)}\n`)
}

/** Times need no more than a microsecond. */
function roundly(_key, value) {
  return typeof value === 'number' ? Math.round(value * 1000) / 1000 : value
}
