/**
 * Where in the inputs the records are that have not ended: every splitter's receipts are opened here, in one account, with the
 * name of their input.
 */

import { Account, type Counts, type Receipt, type SplitOutlet, type Splitter, type SplitterState } from '../index.ts'
import { type Lease, leaseOf } from '../memory/lease.ts'
import { RecordMemory } from '../memory/record-memory.ts'

/** Records that have not ended, as one stretch of an input. */
export interface Undelivered {
  readonly source: string
  /** How many of the records in it have not ended. */
  readonly records: number
  /** The offset in the input, in bytes, where the first of them starts, or a record of the same read before it. */
  readonly from: number
  /** The offset behind the last of them. */
  readonly to: number
}

/** How far an input was read. */
export interface Reading {
  /** Bytes that came out of the input, after decompression. */
  bytes: number
  /** The offset behind the last record that was found. */
  to: number
  /** Whether the input ended by itself. */
  hasEnded: boolean
}

/** See the head of this file. */
export class Ledger {
  /** The account of all records that were found. */
  readonly account = new Account()
  readonly #open = new Map<string, Set<Receipt>>()
  readonly #streams: { stats(): Counts }[] = []

  /** Counts the records of a stream, which has an account of its own. */
  follow(stream: { stats(): Counts }): void {
    this.#streams.push(stream)
  }

  /** What became of all records. */
  counts(): Counts {
    const all = [this.account.counts(), ...this.#streams.map((stream) => stream.stats())]
    const sum = (of: (counts: Counts) => number): number => all.reduce((before, counts) => before + of(counts), 0)
    return {
      in: sum((one) => one.in),
      expanded: sum((one) => one.expanded),
      delivered: sum((one) => one.delivered),
      dropped: sum((one) => one.dropped),
      backedUp: sum((one) => one.backedUp),
      pending: sum((one) => one.pending),
    }
  }

  /**
   * A splitter that opens its receipts here.
   *
   * @param reading - Is kept up to date.
   * @param wasStopped - Whether the input was cut off: then what is left at its end is no record.
   */
  tracked(splitter: Splitter, source: string, reading: Reading, wasStopped: () => boolean): Splitter {
    const open = this.#open.get(source) ?? new Set<Receipt>()
    this.#open.set(source, open)
    const { account } = this
    return {
      name: `${splitter.name}, ${source}`,
      start(outlet): SplitterState {
        /** Of the chunk that is being split, if its memory is to be read into again. */
        let lease: Lease | undefined
        const memory = RecordMemory.shared()
        const trackedOutlet: SplitOutlet = {
          open(count, from, to, places) {
            const arrivedAt = outlet.now()
            const onSettled = (settled: Receipt) => void open.delete(settled)
            const position = { source, from, to }
            const receipt = account.open(count, arrivedAt, { position, onSettled, memory: lease && memory })
            if (lease !== undefined) receipt.hold(lease)
            if (receipt.pending > 0) open.add(receipt)
            reading.to = to
            return { receipt, arrivedAt, places }
          },
          push: (chunk) => outlet.push(chunk),
          now: () => outlet.now(),
        }
        const state = splitter.start(trackedOutlet)
        const detach = (): void => {
          lease = undefined
          state.detach?.()
        }
        return {
          write(chunk) {
            reading.bytes += chunk.length
            lease = state.detach && leaseOf(chunk)
            return state.write(chunk)
          },
          ...(state.detach !== undefined && { detach }),
          end() {
            lease = undefined
            if (!wasStopped()) return state.end()
            state.destroy?.()
            return undefined
          },
          destroy: () => state.destroy?.(),
        }
      },
    }
  }

  /** What has not ended, in the order of the inputs; neighbours are one stretch. */
  undelivered(): Undelivered[] {
    const stretches: { source: string; records: number; from: number; to: number }[] = []
    for (const [source, receipts] of this.#open) {
      for (const { pending, position } of receipts) {
        const [from, to] = [Number(position?.from), Number(position?.to)]
        const last = stretches.at(-1)
        if (last?.source === source && from <= last.to) {
          last.records += pending
          last.to = Math.max(last.to, to)
        } else stretches.push({ source, records: pending, from, to })
      }
    }
    return stretches
  }
}
