import type { Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import {
  type BatchStage,
  batch,
  type DeliverStats,
  type DeliverStream,
  deliver,
  fanOut,
  type Stage,
  sourceBackup,
} from '../index.ts'
import type { Ledger } from './ledger.ts'
import type { Setup, Target } from './setup.ts'
import { together } from './together.ts'

/** Everything behind the splitter, as `firehose()` puts it together, with its parts in sight. */
export interface Way {
  /** What the splitters of all inputs write to. */
  readonly head: Writable
  /** Resolves when everything is delivered, rejects with the first error. */
  readonly finished: Promise<void>
  stats(): DeliverStats
  /** The same for each destination, where there are several. */
  targets(): Readonly<Record<string, DeliverStats>>
  openBatches(): number
  /** Delivers what is gathered now. */
  flush(): Promise<void>
  /** Stops at once. */
  destroy(error: Error): void
}

/** Makes the stages and puts them together. */
export function makeWay(setup: Setup, ledger: Ledger): Way {
  const { sourceBackup: copiesTo } = setup
  const copies =
    copiesTo &&
    sourceBackup([
      batch({ format: copiesTo.destination.encode, ...copiesTo.batch }),
      deliver(copiesTo.destination, copiesTo.isStdout ? { concurrency: 1 } : {}),
    ])
  const ends = setup.targets.map(endOf)
  const account = copies?.onward ?? ledger.account
  const tail = tailOf(ends)
  const stages: readonly Stage[] = [...(copies ? [copies] : []), ...setup.transforms.map(({ make }) => make())]
  const [first] = ends
  if (ends.length === 1) first?.end.count(account)
  const way = [...stages, ...tail]
  const [head] = way
  if (head === undefined) throw new Error('a way has an end')
  return {
    head,
    finished: way.length === 1 ? finished(head) : pipeline(way),
    stats: () =>
      ends.length === 1 && first
        ? first.end.stats()
        : together(copies === undefined ? ledger.counts() : account.counts(), statsOf(ends)),
    targets: () => (ends.length === 1 ? {} : Object.fromEntries(ends.map(({ name, end }) => [name, end.stats()]))),
    openBatches: () => ends.reduce((sum, { gathering }) => sum + gathering.openBatches(), 0),
    async flush() {
      await Promise.all(ends.map(({ gathering }) => gathering.flush()))
    },
    destroy(error) {
      head.destroy(error)
      for (const stage of tail) stage.destroy(error)
      for (const { end } of ends) end.destroy(error)
    },
  }
}

/** A destination with its batches. */
interface EndOfWay {
  readonly name: string
  readonly gathering: BatchStage
  readonly end: DeliverStream
}

function endOf({ name, to, batch: batching, delivery }: Target): EndOfWay {
  const gathering = batch({ format: delivery.encode ?? to.encode, ...batching })
  return { name, gathering, end: deliver(to, delivery) }
}

/** What stands behind the transforms: a batch and its destination, or a fan-out to several. */
function tailOf(ends: readonly EndOfWay[]): readonly Writable[] {
  const [first] = ends
  if (ends.length === 1 && first !== undefined) return [first.gathering, first.end]
  return [fanOut(...ends.map(({ name, gathering, end }) => ({ name, to: [gathering, end] as const })))]
}

const statsOf = (ends: readonly EndOfWay[]): DeliverStats[] => ends.map(({ end }) => end.stats())
