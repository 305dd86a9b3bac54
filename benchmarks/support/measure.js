/**
 * One case in a process of its own: `node measure.js STAGE WAY WARM-UP FILE`. Runs the way over the file for warming up, so that
 * the compiler has seen it, then over the other as often as half a second takes, and prints the median pass as JSON.
 */
import { median } from './numbers.js'

const least = 500

const [stage, way, warmUp, file] = process.argv.slice(2)
const { ways } = await import(new URL(`../stages/${stage}.js`, import.meta.url).href)
await ways[way](warmUp)
const passes = []
let result
for (let spent = 0; spent < least; spent += passes.at(-1).ms) {
  const [started, before] = [performance.now(), process.cpuUsage()]
  result = await ways[way](file)
  const { user, system } = process.cpuUsage(before)
  passes.push({ ms: performance.now() - started, cpu: (user + system) / 1000 })
}
const ms = median(passes.map((pass) => pass.ms))
const cpu = median(passes.map((pass) => pass.cpu))
process.stdout.write(JSON.stringify({ ...result, ms, cpu, maxRss: process.resourceUsage().maxRSS * 1024 }))
