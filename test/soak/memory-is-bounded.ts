/** Memory is bounded whatever destinations do, and whatever functions make, in a process that has little of it. */
import t from 'tap'
import { MiB } from '../../src/index.ts'
import { runChild } from '../support/child.ts'

/** What is not counted by any limit: chunks on their way, buffers of the streams, the pages of the garbage collector. */
const slack = 64 * MiB

/** A line that `flood.ts` prints. */
interface Flooded {
  readonly name: string
  readonly read: number
  readonly allowed: number
  readonly until?: number
  readonly grown: number
  readonly alive: number
  readonly backedUp: number
}

function isFlooded(value: unknown): value is Flooded {
  return typeof value === 'object' && value !== null && 'read' in value && 'allowed' in value && 'grown' in value
}

t.test('a source without end, and destinations that never answer, in 128 MiB', { timeout: 110_000 }, async (t) => {
  const { code, signal, lines, err } = await runChild(
    'flood.ts',
    ['--max-old-space-size=128', '--max-semi-space-size=8'],
    [],
  )
  t.same([code, signal], [0, null], err)
  const [limit, ...cases] = lines.map((line): unknown => JSON.parse(line))
  t.ok(typeof limit === 'number' && limit < 200 * MiB, `the heap is small: ${limit} bytes`)
  t.equal(cases.length, 17)
  for (const flooded of cases) {
    if (!isFlooded(flooded)) throw new TypeError('flood.ts must print what it measured')
    const { name, read, allowed, until, grown, alive, backedUp } = flooded
    t.ok(read > 0, `${name}: it began`)
    t.ok(grown < allowed + slack, `${name}: the process grew by ${grown} bytes`)
    if (until === undefined) t.ok(read < allowed + slack, `${name}: the source was stopped after ${read} bytes`)
    else {
      t.ok(read >= until, `${name}: the source was not stopped`)
      t.ok(alive > until - allowed, `${name}: the living branch has ${alive} bytes`)
      t.ok(backedUp > until - allowed, `${name}: the backup of the dead one has ${backedUp} bytes`)
    }
  }
  const byName = new Map(cases.filter(isFlooded).map((flooded) => [flooded.name, flooded]))
  const blocks = byName.get('a dead branch that blocks')
  t.ok(
    blocks !== undefined && blocks.alive > 8 * MiB,
    'a living branch goes on until the bound of the dead one is reached',
  )
})

t.test('functions that make much of little, in 128 MiB', { timeout: 110_000 }, async (t) => {
  const { code, signal, lines, err } = await runChild('large-output.ts', ['--max-old-space-size=128'], [t.testdir()])
  t.same([code, signal], [0, null], err)
  const cases = lines.map((line) => JSON.parse(line))
  t.equal(cases.length, 5)
  for (const { name, delivered, most, stats } of cases) {
    t.ok(delivered > 190e6, `${name}: ${delivered} bytes`)
    t.ok(most < 128 * MiB, `${name}: ${most} bytes outside of the heap`)
    t.match(stats, { in: stats.delivered, pending: 0 })
  }
})
