import { describe, OptionError } from '../errors.ts'
import { callable, checkOptions, expecting, type Fields, oneOf, option, whole } from '../options.ts'
import { Stage, stageFields } from '../stage/stage.ts'
import { type ThreadOptions, threadFields } from './threads/options.ts'
import { threadsStage } from './threads/threads.ts'
import { TransformCore } from './transform-core.ts'
import type { TransformOptions } from './transform-options.ts'
import { type BytesFunction, type RecordFunction, toRecordFunction } from './view.ts'

const stream = expecting('a Writable, such as backupTo(destination)', (value) => {
  return typeof value === 'object' && value !== null && 'write' in value && 'end' in value
})
const errorPolicy = oneOf('fail', 'drop', 'stop')
/** The table of the options of {@link transform}. */
export const transformFields = {
  ...stageFields,
  ...threadFields,
  concurrency: option(whole('promises'), { default: 1, about: 'Promises pending at a time.' }),
  onError: option(
    expecting(
      `${errorPolicy.expected} or a function`,
      (value) => errorPolicy.accepts(value) || callable.accepts(value),
      errorPolicy.written,
    ),
    { default: 'fail', about: 'What becomes of a record that fails.' },
  ),
  backup: stream,
} satisfies Fields<ThreadOptions>

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
  checkOptions<ThreadOptions>('transform', options, transformFields)
  if (typeof given === 'string' || given instanceof URL) return threadsStage(given, options)
  for (const name of Object.keys(threadFields)) {
    if (Object.hasOwn(options, name)) {
      const message = `transform: ${name} needs a function in a module of its own, given as its URL or path`
      throw new OptionError(`transform.${name}`, `${message}, but came with ${describe(given)}`)
    }
  }
  const recordFunction = toRecordFunction('transform', given)
  const concurrency = options.concurrency ?? 1
  const shape = { name: 'transform', clock: options.clock, waiting: Math.max(2, concurrency) }
  return new Stage(shape, (outlet) => new TransformCore(recordFunction, concurrency, options, outlet))
}
