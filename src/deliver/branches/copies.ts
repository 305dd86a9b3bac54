import { Writable } from 'node:stream'
import { batch } from '../../batch/batch-stage.ts'
import { expecting, hasMethod } from '../../options.ts'
import type { StageOptions } from '../../stage/stage.ts'
import { deliver } from '../deliver.ts'
import { backupBatchLimits } from '../deliver-options.ts'
import type { Destination, Send } from '../destination.ts'
import { checkPartitionKeys } from '../partition-keys.ts'
import { toDestination } from '../to-destination.ts'
import type { Way } from './lane.ts'

/** Where copies of records go: a destination, only its `send`, or streams that end in a Writable. */
export type CopyTarget = Destination | Send | Way

/** The field of an option that takes a {@link CopyTarget}. */
export const copyTargetField = expecting('a destination, a send function, a Writable or a list of streams', (value) => {
  return value instanceof Writable || Array.isArray(value) || typeof value === 'function' || hasMethod(value, 'send')
})

/**
 * The streams that copies are written to. Those for a destination are gathered as the records of a backup are: 5 MiB or 60 seconds.
 *
 * @param option - Where it was given, for messages.
 * @throws OptionError
 */
export function copyStreams(option: string, target: CopyTarget, { clock }: StageOptions): Way {
  if (target instanceof Writable || isList(target)) return target
  const destination = toDestination(option, target)
  checkPartitionKeys(option, destination, [])
  const { maxBytes, maxAge } = backupBatchLimits()
  return [batch({ maxBytes, maxAge, clock, format: destination.encode }), deliver(destination, { clock })]
}

function isList(target: CopyTarget): target is Exclude<Way, Writable> {
  return Array.isArray(target)
}
