import { describe, OptionError } from '../../errors.ts'
import { type Fields, option, readOptions, size } from '../../options.ts'
import { Account } from '../../receipts/receipts.ts'
import type { FailedRecords } from '../../records/failed-records.ts'
import type { Records } from '../../records/records.ts'
import { withBytes } from '../../records/with-bytes.ts'
import type { Work } from '../../stage/door.ts'
import { Stage, type StageOptions, stageFields } from '../../stage/stage.ts'
import type { Size } from '../../units.ts'
import { type CopyTarget, copyStreams, copyTargetField } from './copies.ts'
import { Lane } from './lane.ts'

/** Options of {@link sourceBackup}. */
export interface SourceBackupOptions extends StageOptions {
  /** Bytes that may wait for the copy's branch before the source is stopped. Default 64 MiB. */
  readonly maxPendingBytes?: Size | undefined
}

const fields = {
  ...stageFields,
  maxPendingBytes: option(size(), { default: 64 * 1024 * 1024 }),
} satisfies Fields<SourceBackupOptions>

/** A pass-through with the account of the records as they go on. */
export interface SourceBackupStage extends Stage {
  /** The records on their way to the next stage, without those of the copy. */
  readonly onward: Account
}

/**
 * A pass-through that gives a branch a copy of every record as it came, before anything is transformed (guide, "Enable source
 * record backup"). Stands between `split` and `transform`. A record has ended for its source when it has ended here and in the
 * branch. When the branch ends with an error, so does the stream. Records that failed before pass by: they are on their way to
 * the backup of `deliver`.
 *
 * @param to - A destination, whose copies are gathered up to 5 MiB or 60 seconds; or streams: `[batch(), deliver(file({ dir }))]`.
 * @throws OptionError
 */
export function sourceBackup(to: CopyTarget, options: SourceBackupOptions = {}): SourceBackupStage {
  const { maxPendingBytes, clock } = readOptions('sourceBackup', options, fields)
  if (!copyTargetField.accepts(to)) {
    throw new OptionError('sourceBackup', `sourceBackup takes ${copyTargetField.expected}, but came as ${describe(to)}`)
  }
  const way = copyStreams('sourceBackup', to, { clock })
  const main = new Account()
  const stage = new Stage({ name: 'sourceBackup', clock }, (outlet) => {
    const lane = new Lane(way, outlet.fail)
    const give = (run: Records): Work => {
      const [onward, copy] = run.receipt.fork(run.length, [main, lane.account])
      if (onward === undefined || copy === undefined) throw new RangeError('a fork in two must have two receipts')
      lane.offer(run.withReceipt(copy).bare(), run.byteLength)
      outlet.push(run.withReceipt(onward))
      return lane.pending > maxPendingBytes ? lane.below(maxPendingBytes) : undefined
    }
    const passFailed = (failed: FailedRecords): undefined => {
      const [onward] = failed.records.receipt.fork(failed.length, [main])
      if (onward !== undefined) outlet.push(failed.withRecords(failed.records.withReceipt(onward)))
    }
    return {
      records: (records) => {
        const { good, failed } = withBytes(records, outlet.clock)
        if (failed !== undefined) passFailed(failed)
        return good.length === 0 ? undefined : give(good)
      },
      failed: passFailed,
      flush: () => lane.flushed(),
      end: () => lane.end(),
      destroy: () => lane.destroy(undefined),
    }
  })
  return Object.assign(stage, { onward: main })
}
