import { describe, OptionError } from '../errors.ts'
import { callable, duration, expecting, type Fields, object, oneOf, option, readOptions, whole } from '../options.ts'
import { retryFields } from '../retry/retry-options.ts'
import { Stage, stageFields } from '../stage/stage.ts'
import { type ThreadOptions, threadFields } from './threads/options.ts'
import { threadsStage } from './threads/threads.ts'
import { TransformCore } from './transform-core.ts'
import { defaultTimeout, type TransformOptions } from './transform-options.ts'
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
  retry: expecting('an object of retry options, or false', (value) => value === false || object.accepts(value)),
  timeout: option(duration(1, true), {
    default: defaultTimeout,
    about: 'How long a promise of the function may take.',
  }),
  backup: stream,
} satisfies Fields<ThreadOptions>

/**
 * Makes the stage that calls a function for each record, or has threads call it; see `transform`, which users call.
 *
 * @throws OptionError
 */
export function transform(fn: RecordFunction | BytesFunction, options?: TransformOptions): Stage
export function transform(module: URL | string, options?: ThreadOptions): Stage
export function transform(given: RecordFunction | BytesFunction | URL | string, options: ThreadOptions = {}): Stage {
  const { concurrency, timeout, retry } = readOptions('transform', options, transformFields)
  if (retry) readOptions('transform.retry', retry, retryFields)
  if (typeof given === 'string' || given instanceof URL) return threadsStage(given, { ...options, timeout })
  for (const name of Object.keys(threadFields)) {
    if (Object.hasOwn(options, name)) {
      const message = `transform: ${name} needs a function in a module of its own, given as its URL or path`
      throw new OptionError(`transform.${name}`, `${message}, but came with ${describe(given)}`)
    }
  }
  const recordFunction = toRecordFunction('transform', given)
  const shape = { name: 'transform', clock: options.clock, waiting: Math.max(2, concurrency) }
  return new Stage(
    shape,
    (outlet) =>
      new TransformCore(
        recordFunction,
        { ...options, concurrency, timeout, isUnadvised: options.concurrency === undefined },
        outlet,
      ),
  )
}
