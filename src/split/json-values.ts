import { described, expecting, type Fields, readOptions } from '../options.ts'
import { Deferred } from './deferred.ts'
import type { Splitter } from './splitter.ts'
import { type SizeOptions, sizeFields } from './too-large.ts'

/** Options of {@link jsonValues}. */
export interface JsonValuesOptions extends Pick<SizeOptions, 'maxRecordBytes'> {
  /**
   * Where in a single top-level object the array stands whose elements are the records: keys with dots between them, such as
   * `features` or `response.items`. Default: none, and the first character decides: a top-level array's elements are the records,
   * and otherwise each top-level value is one.
   */
  readonly path?: string | undefined
}

/** The table of {@link JsonValuesOptions}. */
export const jsonValuesFields = {
  maxRecordBytes: sizeFields.maxRecordBytes,
  path: described(
    expecting(
      `keys with dots between them, such as 'features' or 'response.items'`,
      (value) => typeof value === 'string' && value.split('.').every((key) => key !== ''),
      { type: 'string' },
    ),
    'Where the array of records stands, with dots.',
  ),
} satisfies Fields<JsonValuesOptions>

/**
 * The values of a JSON text (RFC 8259): the elements of a top-level array, those of an array at a `path`, or top-level values one
 * after another with or without white space between them (numbers and words need some). They come out parsed, as `JSON.parse`
 * would have them: `__proto__` is a key like any other, of equal keys the last one counts, a byte order mark is skipped, and bytes
 * that are not UTF-8 become U+FFFD. Their bytes are made from the values.
 *
 * The parser does not say where in the bytes a value stands. Therefore a receipt's position is that of the chunk in which the
 * value ended; errors name a range of at most 64 KiB; and `maxRecordBytes` is a bound for the memory rather than a rule for records:
 * a value up to it is never refused, one longer by 128 KiB always is, with white space in front of it counted. There is no
 * `onTooLarge`: a part of a value is no JSON. A value takes several times its bytes when it is parsed.
 *
 * The stream ends with a HosepipeError `Split.Malformed` where the text is not JSON, ends too early, nests deeper than 1,024, has
 * something behind its top-level array or object, or has no array at the `path`, or two. Records before it may have gone on.
 *
 * @throws OptionError
 */
export function jsonValues(options: JsonValuesOptions = {}): Splitter {
  const { maxRecordBytes, path } = readOptions('jsonValues', options, jsonValuesFields)
  return {
    name: 'jsonValues',
    start: (outlet) =>
      // stream-json takes as long to load as the half of all that is ours.
      new Deferred(async () => {
        const { JsonValuesSplitter } = await import('./json-values-splitter.ts')
        return new JsonValuesSplitter(outlet, path, maxRecordBytes)
      }),
  }
}
