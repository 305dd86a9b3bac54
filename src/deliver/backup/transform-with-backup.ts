/** `transform()` as users call it: with a backup of its own, which may be a destination. */
import { checkOptions, type Fields } from '../../options.ts'
import type { Stage } from '../../stage/stage.ts'
import type { ThreadOptions as StageThreadOptions } from '../../transform/threads/options.ts'
import { transformFields, transform as transformStage } from '../../transform/transform.ts'
import type { TransformOptions as StageTransformOptions } from '../../transform/transform-options.ts'
import type { BytesFunction, RecordFunction } from '../../transform/view.ts'
import { type BackupTarget, backupStream, backupTargetField } from './backup-stream.ts'

interface OwnBackup {
  /**
   * Where the records go that fail here: a destination, only its `send`, or a stream that takes `FailedRecords`, such as
   * `backupTo(destination, options)`. It is ended, and waited for, when the transform ends. Default: they travel on, to the backup of
   * `deliver`.
   */
  readonly backup?: BackupTarget | undefined
}

/** Options of {@link transform}. */
export interface TransformOptions extends Omit<StageTransformOptions, 'backup'>, OwnBackup {}

/** Options of {@link transform} when it is given a module; see those of a function for `backup`. */
export interface ThreadOptions extends Omit<StageThreadOptions, 'backup'>, OwnBackup {}

const fields = { ...transformFields, backup: backupTargetField } satisfies Fields<ThreadOptions>

/**
 * Calls a function for each record and hands on what it says. A plain function is given the record's bytes; `json(fn)`,
 * `text(fn)`, `filter(fn)` and `map(fn)` say otherwise.
 *
 * A throw, a rejection or `fail(reason)` fails that record alone: its original bytes and the reason travel beside the good
 * records to the backup. (A value that came in as an object and not as bytes is backed up as it is then.) A synchronous function
 * costs no promise.
 *
 * @throws OptionError
 * @example
 * transform(json((event: Event) => (event.debug ? drop : { ...event, seen: Date.now() })), { concurrency: 16 })
 */
export function transform(fn: RecordFunction | BytesFunction, options?: TransformOptions): Stage
/**
 * Has threads call the function that a module exports by default: a plain function of the bytes, `json(fn)`, `text(fn)`,
 * `filter(fn)` or `map(fn)`. Records keep their order, and each ends as it would in one thread. Needs the package `piscina`.
 *
 * It pays where the function takes longer than copying the bytes there and back, as parsing does, and there are cores to spare.
 * Runs of fewer bytes than a slab has are not gathered, so a source pays that reads in large chunks: `highWaterMark: MiB`.
 * What differs: each thread has a module of its own, so what one counts or remembers, others do not know; values that a former
 * transform made come as their JSON says; `onError` and `backup` stay in the main thread; `context.signal` is never aborted,
 * because the threads are ended when the stream is destroyed.
 *
 * When a thread ends (`process.exit`, an error that nobody catches, no memory left), up to a mebibyte of records fail together, those
 * that it was at work on, with the code `Transform.WorkerCrashed`; another thread takes its place.
 *
 * @param module - The URL of a file, or its path.
 * @throws OptionError
 * @throws HosepipeError `Transform.NoThreads` when piscina is not installed.
 * @example
 * transform(new URL('./enrich.js', import.meta.url), { threads: 4 })
 * // enrich.js
 * export default json((event) => ({ ...event, seen: true }))
 */
export function transform(module: URL | string, options?: ThreadOptions): Stage
export function transform(given: RecordFunction | BytesFunction | URL | string, options: ThreadOptions = {}): Stage {
  checkOptions<ThreadOptions>('transform', options, fields)
  const { backup, ...others } = options
  const stream = backup === undefined ? {} : { backup: backupStream(backup, { clock: options.clock }) }
  const checked = { ...others, ...stream }
  const isModule = typeof given === 'string' || given instanceof URL
  return isModule ? transformStage(given, checked) : transformStage(given, checked)
}
