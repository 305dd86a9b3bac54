import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type BatchStage, batch, type DeliverStats, deliver, type Stage, sourceBackup } from '../index.ts'
import type { Ledger } from './ledger.ts'
import type { Setup } from './setup.ts'

/** Everything behind the splitter, as `firehose()` puts it together, with its parts in sight. */
export interface Way {
  /** What the splitters of all inputs write to. */
  readonly head: Writable
  /** Resolves when everything is delivered, rejects with the first error. */
  readonly finished: Promise<void>
  stats(): DeliverStats
  openBatches(): number
  /** Stops at once. */
  destroy(error: Error): void
}

/** Makes the stages and puts them together. */
export function makeWay(setup: Setup, ledger: Ledger): Way {
  const { sourceBackup: copiesTo, to, delivery } = setup
  const copies =
    copiesTo &&
    sourceBackup([
      batch({ format: copiesTo.destination.encode, ...copiesTo.batch }),
      deliver(copiesTo.destination, copiesTo.isStdout ? { concurrency: 1 } : {}),
    ])
  const gathering: BatchStage = batch({ format: delivery.encode ?? to.encode, ...setup.batch })
  const stages: readonly Stage[] = [
    ...(copies ? [copies] : []),
    ...setup.transforms.map(({ make }) => make()),
    gathering,
  ]
  const end = deliver(to, delivery)
  end.count(copies?.onward ?? ledger.account)
  const [head = end] = stages
  return {
    head,
    finished: pipeline([...stages, end]),
    stats: () => end.stats(),
    openBatches: () => gathering.openBatches(),
    destroy(error) {
      head.destroy(error)
      end.destroy(error)
    },
  }
}
