import { OptionError } from '../errors.ts'
import { described, expecting, type Fields, oneOf, option, readOptions } from '../options.ts'
import { namesIn } from '../records/field-path.ts'
import { Deferred } from './deferred.ts'
import type { Selects } from './json-selection-splitter.ts'
import { JsonValuesSplitter } from './json-values-splitter.ts'
import type { SplitOutlet, Splitter, SplitterState } from './splitter.ts'
import { type EncodingOptions, encodingField, readingText } from './text-encoding.ts'
import { type SizeOptions, sizeFields } from './too-large.ts'

/** Options of {@link jsonValues}. */
export interface JsonValuesOptions extends Pick<SizeOptions, 'maxRecordBytes'>, EncodingOptions {
  /**
   * Where in a top-level object the array stands whose elements are the records: keys with dots between them, such as `features` or
   * `response.items`, where `\\.` is a dot in a key; or a list of keys. Several such objects may follow one another, as in the files of
   * CloudTrail and CloudWatch Logs. Default: none, and then the first character decides: the elements of a top-level array, or of several one
   * after another, are the records, and otherwise each top-level value is one.
   */
  readonly path?: string | readonly string[] | undefined
  /**
   * Which values are records, where a path cannot say it: a regular expression that the path of a value matches, its keys and indexes
   * joined by dots (`/^packages\.[^.]+$/` for the members of an object); or a function of these keys and indexes. Values inside of a record
   * are not asked about. It is much slower than `path`, and not taken together with it. Numbers keep their digits; escapes in strings are those of
   * `JSON.stringify`. Default: none.
   */
  readonly select?: RegExp | Selects | undefined
  /**
   * What becomes of a value whose borders are found but which is not JSON: `'fail'` ends the stream, `'backup'` sends it to the backup with
   * the code `Split.Malformed` and goes on behind it. Default `'fail'`.
   */
  readonly onMalformed?: 'fail' | 'backup' | undefined
  /**
   * What becomes of the white space between the tokens of a value that stands on several lines: `'remove'` makes it one line, in which
   * nothing else changes; `'keep'` leaves it, and then the value is no line of newline-delimited JSON. Default `'remove'`.
   */
  readonly whiteSpace?: 'remove' | 'keep' | undefined
}

/** The table of {@link JsonValuesOptions}. */
export const jsonValuesFields = {
  maxRecordBytes: sizeFields.maxRecordBytes,
  path: described(
    expecting(
      `keys with dots between them, such as 'features' or 'response.items', or a list of keys`,
      (value) => namesOf(value) !== undefined,
      {
        anyOf: [
          { type: 'string', minLength: 1 },
          { type: 'array', items: { type: 'string' }, minItems: 1 },
        ],
      },
    ),
    'Where the array of records stands, with dots; \\. is a dot in a key.',
  ),
  encoding: encodingField,
  select: expecting('a RegExp or a function', (value) => value instanceof RegExp || typeof value === 'function'),
  onMalformed: option(oneOf('fail', 'backup'), { default: 'fail', about: 'What becomes of a value that is not JSON.' }),
  whiteSpace: option(oneOf('remove', 'keep'), {
    default: 'remove',
    about: 'What becomes of the white space in a value of several lines.',
  }),
} satisfies Fields<JsonValuesOptions>

/**
 * The values of a JSON text (RFC 8259): the elements of a top-level array, those of an array at a `path`, or top-level values one
 * after another with or without white space between them (numbers and words need some). Their bytes go on as they stand: digits, escapes,
 * doubled keys and the order of keys are the user's. A byte order mark is skipped.
 *
 * The stream ends with a HosepipeError `Split.Malformed`, which says at which byte, where the text is not JSON, ends too early, nests
 * deeper than 1,024, has something else behind a top-level array or object, or has no array at the `path`, or two; with
 * `Split.RecordTooLarge` at a value that is longer than `maxRecordBytes`. There is no `onTooLarge`: a part of a value is no JSON.
 *
 * @throws OptionError
 */
export function jsonValues(options: JsonValuesOptions = {}): Splitter {
  const { path, select, encoding, ...shape } = readOptions('jsonValues', options, jsonValuesFields)
  if (select !== undefined) {
    if (path !== undefined)
      throw new OptionError('jsonValues.select', 'jsonValues: path and select cannot stand together')
    for (const name of ['onMalformed', 'whiteSpace'] as const) {
      if (options[name] === undefined) continue
      throw new OptionError(`jsonValues.${name}`, `jsonValues: ${name} is not for select, which reads the values anew`)
    }
    const start: Splitter['start'] = (outlet) => selection(outlet, select, shape.maxRecordBytes)
    return readingText({ name: 'jsonValues', needsStart: true, start }, encoding)
  }
  const names = (path !== undefined && namesOf(path)) || []
  const start: Splitter['start'] = (outlet) => new JsonValuesSplitter(outlet, { ...shape, path: names })
  return readingText({ name: 'jsonValues', needsStart: true, start }, encoding)
}

function selection(outlet: SplitOutlet, select: RegExp | Selects, maxRecordBytes: number): SplitterState {
  const selects = typeof select === 'function' ? select : matching(select)
  // stream-json takes half as long to load as all of this package.
  return new Deferred(async () => {
    const { JsonSelectionSplitter } = await import('./json-selection-splitter.ts')
    return new JsonSelectionSplitter(outlet, selects, maxRecordBytes)
  })
}

/** Flags that remember where the last search ended would miss every other value. */
function matching(select: RegExp): Selects {
  const pattern = new RegExp(select.source, select.flags.replace(/[gy]/g, ''))
  return (path) => pattern.test(path.join('.'))
}

function namesOf(path: unknown): readonly string[] | undefined {
  if (typeof path === 'string') return namesIn(path)
  const isList = Array.isArray(path) && path.length > 0 && path.every((name) => typeof name === 'string')
  return isList ? path : undefined
}
