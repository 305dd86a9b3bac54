/** Where the time of one way goes, by function: `node profile.js STAGE SHAPE [WAY]`, such as `node profile.js batch '1 KB'`. */
import { Session } from 'node:inspector/promises'
import { dataFile, shapes } from './support/data.js'

const [name, shape, way = 'hosepipe'] = process.argv.slice(2)
const stage = await import(`./stages/${name}.js`)
const { run, keys } = stage.ways[way]
const [warmUp, file] = [await dataFile(shape, 16, keys), await dataFile(shape, stage.mebibytes ?? 64, keys)]
await (await prepared(warmUp))()
const pass = await prepared(file)

const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.setSamplingInterval', { interval: 200 })
await session.post('Profiler.start')
await pass()
const { profile } = await session.post('Profiler.stop')
session.disconnect()

const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
const spent = new Map()
for (const [i, id] of profile.samples.entries()) {
  const { functionName, url, lineNumber } = frames.get(id)
  const place = url === '' ? '' : ` (${url.split('/').slice(-2).join('/')}:${lineNumber + 1})`
  const key = `${functionName || 'anonymous'}${place}`
  spent.set(key, (spent.get(key) ?? 0) + profile.timeDeltas[i])
}
const total = [...spent.values()].reduce((sum, time) => sum + time, 0)
for (const [key, time] of [...spent].sort((a, b) => b[1] - a[1]).slice(0, 20)) {
  console.log(`${((time / total) * 100).toFixed(1).padStart(5)} %  ${(time / 1000).toFixed(1).padStart(8)} ms  ${key}`)
}

/** A pass over a file, of which only what is to be measured is left. */
async function prepared(path) {
  const input = (await stage.prepare?.(path)) ?? path
  return async () => {
    await run(input, shapes[shape])
    await stage.clear?.(input)
  }
}
