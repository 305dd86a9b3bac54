import { describe, OptionError } from '../errors.ts'
import { option, readOptions, whole } from '../options.ts'
import { separator } from './separator.ts'
import { longestMatch } from './separator-splitter.ts'
import type { Splitter } from './splitter.ts'
import { type SizeOptions, sizeFields } from './too-large.ts'

/** Options of {@link multiline}. */
export interface MultilineOptions extends SizeOptions {
  /** How many characters of a line must have come before it is known whether a record begins with it: at least as many as the pattern takes. From 1 to 1,024. Default 64. */
  readonly lookahead?: number | undefined
}

const fields = {
  ...sizeFields,
  lookahead: option(whole('characters', 1, longestMatch), { default: 64, about: 'Characters that a pattern takes.' }),
}

/**
 * Records of several lines, such as errors with their stacks: each begins with a line in which the pattern matches at once, and goes on to the next such line. A record has at most `maxRecordBytes`.
 * What stands before the first such line is a record, too.
 *
 * @param start - How the first line of a record begins. `^` at its beginning may be left out.
 * @throws OptionError
 * @example
 * split(multiline(/\d{4}-\d\d-\d\d /, { maxRecordBytes: '256KiB' }))
 */
export function multiline(start: RegExp, options: MultilineOptions = {}): Splitter {
  if (!(start instanceof RegExp)) {
    throw new OptionError('multiline', `multiline takes a regular expression, but came with ${describe(start)}`)
  }
  const { lookahead, ...others } = readOptions('multiline', options, fields)
  const source = start.source.replace(/^\^/, '')
  const flags = start.flags.replace(/[gy]/g, '')
  // The newline at the end of the input is none of the last record.
  return separator(new RegExp(`\\r?\\n(?=(?:${source})|(?![\\s\\S]))`, flags), { ...others, lookahead, empty: 'skip' })
}
