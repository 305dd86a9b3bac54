import { compressorField } from '../compress/compressor.ts'
import { encoderField } from '../encode/encoder.ts'
import { describe, OptionError } from '../errors.ts'
import { callable, checkOptions, duration, expecting, type Fields, flag, hasMethod, object, whole } from '../options.ts'
import type { Destination, Limits, Send } from './destination.ts'
import { limitFields } from './limits.ts'

const fields: Fields<Destination> = {
  name: expecting('a string that is not empty', (value) => typeof value === 'string' && value !== ''),
  send: callable,
  limits: object,
  encode: encoderField,
  compress: compressorField,
  fixedFormat: flag,
  concurrency: whole('requests'),
  timeout: duration(1),
  objectKey: callable,
  prefixTimes: object,
  partitionKeys: expecting(
    'an array of strings',
    (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
  ),
  open: callable,
  close: callable,
}

/**
 * Makes a destination of what `to` and `backup` take. One of the user's own is checked as options are: with a `concurrency` of 0 it
 * would wait for ever.
 *
 * @param option - Where it was given, for messages: `deliver.backup`.
 * @throws OptionError
 */
export function toDestination(option: string, given: Destination | Send): Destination {
  if (typeof given === 'function') return { name: given.name === '' ? 'send' : given.name, send: given }
  if (!hasMethod(given, 'send')) {
    throw new OptionError(option, `${option} must be a destination or a send function, but came as ${describe(given)}`)
  }
  for (const [name, field] of Object.entries(fields)) {
    const value: unknown = Reflect.get(given, name)
    if (field.accepts(value) || (value === undefined && name !== 'name')) continue
    throw new OptionError(
      `${option}.${name}`,
      `${option}: the destination's ${name} must be ${field.expected}, but came as ${describe(value)}`,
    )
  }
  if (given.limits !== undefined) checkOptions<Limits>(`${option}.limits`, given.limits, limitFields)
  return given
}
