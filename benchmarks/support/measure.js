/**
 * One case in a process of its own: `node measure.js '{"stage", "way", "shape", "warmUp", "file", "least"}'`. Runs the way over the
 * warm-up file, so that the compiler has seen it, then over the other as often as `least` milliseconds take, and prints the
 * median and the best pass as JSON, with what was counted in each file.
 */
import { shapes } from './data.js'
import { median } from './numbers.js'
import { peakMemory } from './peak.js'

const { stage: name, way, shape, warmUp, file, least } = JSON.parse(process.argv[2])
const stage = await import(new URL(`../stages/${name}.js`, import.meta.url).href)
const { run } = stage.ways[way]
const facts = shapes[shape]

const counted = { [warmUp]: await pass(warmUp, []) }
const passes = []
for (let spent = 0; passes.length === 0 || spent < least; spent += passes.at(-1).ms)
  counted[file] = await pass(file, passes)
process.stdout.write(
  JSON.stringify({
    ms: median(passes.map(({ ms }) => ms)),
    best: Math.min(...passes.map(({ ms }) => ms)),
    cpu: median(passes.map(({ cpu }) => cpu)),
    maxRss: await peakMemory(),
    written: counted[file].written,
    counted,
  }),
)

/** Runs the way once. What a stage prepares and clears away is not timed. */
async function pass(path, passes) {
  const input = (await stage.prepare?.(path)) ?? path
  const [started, before] = [performance.now(), process.cpuUsage()]
  const found = (await run(input, facts)) ?? {}
  const { user, system } = process.cpuUsage(before)
  passes.push({ ms: performance.now() - started, cpu: (user + system) / 1000 })
  await stage.clear?.(input)
  return found
}
