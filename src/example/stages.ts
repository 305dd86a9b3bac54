import { stat } from 'node:fs/promises'
import { type Duplex, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { batch, field, json, lines, source, split, transform } from '../index.ts'
import { prepare } from './flights.ts'

/** How fast a file goes through the first stages of its way. */
export interface StageSpeed {
  readonly stages: string
  /** Bytes of the file in a second. */
  readonly bytesPerSecond: number
}

/** Ways that grow by a stage, each of which ends in nothing. */
const ways: Readonly<Record<string, () => Duplex[]>> = {
  read: () => [],
  '+ split': () => [split(lines())],
  '+ transform': () => [split(lines()), transform(json(prepare))],
  '+ batch': () => [split(lines()), transform(json(prepare)), batch({ key: field('hour') })],
}

/** Measures the stages with a file of flights, one way after another, each three times: the best counts. */
export async function speedOfStages(path: string): Promise<StageSpeed[]> {
  const { size } = await stat(path)
  const speeds: StageSpeed[] = []
  for (const [stages, make] of Object.entries(ways)) {
    let best = Number.POSITIVE_INFINITY
    for (let round = 0; round < 3; round += 1) {
      const started = performance.now()
      await pipeline([source(path), ...make(), new Writable({ objectMode: true, write: (_, __, done) => done() })])
      best = Math.min(best, performance.now() - started)
    }
    speeds.push({ stages, bytesPerSecond: (size / best) * 1000 })
  }
  return speeds
}
