/**
 * Run as a process of its own with little memory: functions that make much of little, in front of a destination that takes all. Prints a
 * line of JSON for each case: how many bytes were delivered, and how much memory the process took at most.
 */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { batch, deliver, json, lines, type RecordFunction, several, split, text, transform } from '../../src/index.ts'
import { compiled } from './threads/compiled.ts'

const padding = 'x'.repeat(200)
const huge = 'y'.repeat(100_000)
/** How many bytes of a string there are; each is made anew, so that none is there twice. */
const some = (i: number, of: string): string => `${i}${of}`.slice(String(i).length)

const cases: Readonly<Record<string, { readonly records: number; readonly stage: () => RecordFunction | URL }>> = {
  'several of 100': {
    records: 20_000,
    stage: () =>
      json(({ i }: { i: number }) =>
        several(Array.from({ length: 100 }, (_, n) => ({ i, n, padding: some(i, padding) }))),
      ),
  },
  'small records that become large objects': {
    records: 4_000,
    stage: () => json(({ i }: { i: number }) => ({ i, huge: some(i, huge) })),
  },
  'small records that become large texts': { records: 4_000, stage: () => text((record) => record + huge) },
  'the same, by promises': {
    records: 4_000,
    stage: () => json(async ({ i }: { i: number }) => ({ i, huge: some(i, huge) })),
  },
  'the same, in threads': {
    records: 2_000,
    stage: () => compiled(process.argv[2] ?? '')('test/support/threads/expand'),
  },
}

for (const [name, { records, stage }] of Object.entries(cases)) {
  const made = stage()
  const options = { concurrency: 16 }
  let delivered = 0
  let most = 0
  const end = deliver(async ({ byteLength }) => {
    delivered += byteLength
    // The heap has a bound of its own; what stands outside of it has not.
    most = Math.max(most, process.memoryUsage().external)
    await new Promise((resolve) => setImmediate(resolve))
  })
  const input = Buffer.from(Array.from({ length: records }, (_, i) => `{"i":${i}}\n`).join(''))
  await pipeline(
    Readable.from([input]),
    split(lines()),
    made instanceof URL ? transform(made, { ...options, threads: 2 }) : transform(made, options),
    batch({ maxBytes: '1MiB' }),
    end,
  )
  console.log(JSON.stringify({ name, delivered, most, stats: end.stats() }))
}
