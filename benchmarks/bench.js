/**
 * Measures the stages against their rivals: `node bench.js [--quick] [--rounds N] [--only split,batch] [--shapes '1 KB']
 * [--against DIR]`, where DIR is another build of hosepipe. See README.md for the method.
 */
import { stat } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { dataFile } from './support/data.js'
import { MiB } from './support/numbers.js'
import { interleave } from './support/run.js'
import { table } from './support/table.js'

const allStages = ['split', 'batch', 'transform']

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string', default: allStages.join(',') },
    shapes: { type: 'string' },
    against: { type: 'string' },
  },
})
const rounds = Number(options.rounds ?? (options.quick ? 1 : 5))

for (const name of options.only.split(',')) {
  const stage = await import(`./stages/${name}.js`)
  console.log(`\n## ${stage.title}`)
  const shapes = options.shapes?.split(',') ?? stage.shapes
  for (const shape of shapes) {
    const size = stage.megabytes * (options.quick ? 1 / 4 : 1) * MiB
    const [warmUp, file] = [await dataFile(shape, 16 * MiB), await dataFile(shape, size)]
    const cases = Object.keys(stage.ways).map((way) => ({ name: way, way }))
    if (options.against !== undefined) cases.push({ name: options.against, way: 'hosepipe', build: options.against })
    const results = await interleave(name, cases, { warmUp, file }, rounds)
    const { size: bytes } = await stat(file)
    console.log(`\n${table(shape, bytes, results, stage.targets)}`)
  }
}
