import { describe, OptionError } from '../errors.ts'
import { type Lease, leaseOf } from '../memory/lease.ts'
import { RecordMemory } from '../memory/record-memory.ts'
import { checkOptions, type Fields, filled, hasMethod } from '../options.ts'
import { type Core, inTurn, type Work } from '../stage/door.ts'
import { type Outlet, Stage, type StageOptions, stageFields } from '../stage/stage.ts'
import type { SplitOutlet, Splitter } from './splitter.ts'

/** Options of {@link split}. */
export interface SplitOptions extends StageOptions {
  /**
   * What the bytes come from, in words that no other input has: a path, and what tells one version of the file from the next. It
   * becomes part of each record's position, and so of object keys that are made from positions. Default: none.
   */
  readonly source?: string | undefined
}

const fields = { ...stageFields, source: filled } satisfies Fields<SplitOptions>

/**
 * Finds the records in a stream of bytes: bytes in, {@link Records} out. Text counts as its UTF-8 bytes. Values that are neither
 * bytes nor text are records already and go through as they are.
 *
 * @param splitter - How records are told apart: `lines()`, `separator(…)`, `jsonValues(…)`, `lengthPrefixed()`, or your own.
 * @throws OptionError for an option that is not known, or not as described.
 * @example
 * source('events.ndjson').pipe(split(lines()))
 */
export function split(splitter: Splitter, options: SplitOptions = {}): Stage {
  if (!hasMethod(splitter, 'start')) {
    throw new OptionError('split', `split takes a splitter, such as lines(), but came as ${describe(splitter)}`)
  }
  checkOptions<SplitOptions>('split', options, fields)
  const { source, clock } = options
  return new Stage({ name: `split(${splitter.name})`, clock }, (outlet) => splitCore(splitter, outlet, source))
}

function splitCore(splitter: Splitter, outlet: Outlet, source: string | undefined): Core {
  /** Of the chunk that is being split, if its memory is not ours. */
  let lease: Lease | undefined
  const memory = RecordMemory.shared()
  const splitOutlet: SplitOutlet = {
    open(count, from, to, places) {
      const arrivedAt = outlet.clock.wall()
      const position = source === undefined ? { from, to } : { source, from, to }
      const receipt = outlet.account.open(count, arrivedAt, { position, memory: lease && memory })
      if (lease !== undefined) receipt.hold(lease)
      return { receipt, arrivedAt, places }
    },
    push: (chunk) => void outlet.push(chunk),
    now: () => outlet.clock.wall(),
  }
  const state = splitter.start(splitOutlet)
  const writeLeased = (chunk: Buffer, itsLease: Lease): Work => {
    lease = itsLease
    return inTurn(state.write(chunk), () => {
      lease = undefined
      state.detach?.()
      itsLease.release()
      return undefined
    })
  }
  return {
    bytes(chunk) {
      const itsLease = state.detach === undefined ? undefined : leaseOf(chunk)
      return itsLease === undefined ? state.write(chunk) : writeLeased(chunk, itsLease)
    },
    records: (records) => void outlet.push(records),
    failed: (failed) => void outlet.push(failed),
    end: () => state.end(),
    destroy: () => state.destroy?.(),
  }
}
