/**
 * How long an answer of each way of the stage `direct-put` takes at half of the load that the way can bear: `node direct-put-latency.js`. Requests go at fixed times, and
 * the time of each counts from then.
 */
import { median } from './support/numbers.js'

const { ways, prepare, mebibytes } = await import('./stages/direct-put.js')
const rounds = 3
const recordsARequest = 500
const client = await prepare()

console.log(
  `half load, ${mebibytes} MiB, medians of ${rounds}\n\n| | requests/s | p50 ms | p99 ms |\n| --- | --: | --: | --: |`,
)
for (const [name, { run }] of Object.entries(ways)) {
  await run(client)
  const started = performance.now()
  const { records } = await run(client)
  const pace = records / recordsARequest / ((performance.now() - started) / 1000) / 2
  const found = []
  while (found.length < rounds) found.push(await run({ ...client, pace }))
  const [p50, p99] = ['p50', 'p99'].map((part) => median(found.map((each) => each[part])).toFixed(1))
  console.log(`| ${name} | ${pace.toFixed(0)} | ${p50} | ${p99} |`)
}
