/**
 * The most bytes of bodies that each way of the stage `s3` has on the way to the server at a time, as the server sees it:
 * `node s3-in-flight.js`.
 */
import { dataFile } from './support/data.js'
import { MiB } from './support/numbers.js'

const { ways, prepare, mebibytes } = await import('./stages/s3.js')
const input = await prepare(await dataFile('1 KB', mebibytes))

console.log('| | requests | most MiB in flight |\n| --- | --: | --: |')
for (const [name, { run }] of Object.entries(ways)) {
  const { requests, mostInFlight } = await run(input)
  console.log(`| ${name} | ${requests} | ${(mostInFlight / MiB).toFixed(1)} |`)
}
