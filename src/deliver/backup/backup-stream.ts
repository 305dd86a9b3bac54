import { Writable } from 'node:stream'
import { expecting, hasMethod } from '../../options.ts'
import type { StageOptions } from '../../stage/stage.ts'
import type { Destination, Send } from '../destination.ts'
import { backupTo } from './backup-to.ts'

/** Where failed records go: a destination, only its `send`, or a stream of your own that takes `FailedRecords`. */
export type BackupTarget = Destination | Send | Writable

/** The field of an option that takes a {@link BackupTarget}. */
export const backupTargetField = expecting('a destination, a send function or a Writable', (value) => {
  return value instanceof Writable || typeof value === 'function' || hasMethod(value, 'send')
})

/**
 * The stream that failed records are written to.
 *
 * @throws OptionError when it is a destination that cannot be used.
 */
export function backupStream(target: BackupTarget, options: StageOptions): Writable {
  return target instanceof Writable ? target : backupTo(target, options)
}
