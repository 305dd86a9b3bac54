import { describe, OptionError } from '../errors.ts'
import { described, type Fields, flag, type InForce, readOptions, whole } from '../options.ts'
import { PatternThread } from './pattern-thread.ts'
import { longestMatch, patternFinder, SeparatorSplitter, textFinder } from './separator-splitter.ts'
import { emptyField, type Splitter } from './splitter.ts'
import { type EncodingOptions, encodingField, readingText } from './text-encoding.ts'
import { type SizeOptions, sizeFields } from './too-large.ts'

/** Options of {@link separator}. */
export interface SeparatorOptions extends SizeOptions, EncodingOptions {
  /** Whether nothing between two separators is a record. Default `'skip'`. */
  readonly empty?: 'keep' | 'skip' | undefined
  /**
   * For a regular expression: how many characters must have come after a match before it counts, because they could make it longer
   * or undo it. Default 1, which is right for all that take as much as they can (`/\n+/`, `/;\s?/`); 0 where the length is
   * fixed, so that a record goes on at once on an idle stream; more for those that look further (`/a|abc/`: 2). From 0 to 1,024.
   * A string needs none.
   */
  readonly lookahead?: number | undefined
  /**
   * For a regular expression: whether it is matched in a thread of its own. One that tries very many ways to match, as `/(a+)+;/` can,
   * then holds up neither other streams nor the signals of the program. Default `false`.
   */
  readonly thread?: boolean | undefined
}

/** The table of {@link SeparatorOptions}. */
export const separatorFields = {
  ...sizeFields,
  empty: emptyField,
  encoding: encodingField,
  lookahead: described(
    whole('characters', 0, longestMatch),
    'For a regular expression: characters that must follow a match before it counts. Default 1.',
  ),
  thread: described(flag, 'For a regular expression: whether it is matched in a thread of its own.'),
} satisfies Fields<SeparatorOptions>

/**
 * Records with a separator between them; the separator is part of neither. One at the end makes no empty last record.
 *
 * With a string, bytes are compared with its UTF-8 bytes, and records keep theirs whatever they are. With a regular expression the
 * input is read as UTF-8, and bytes that are not UTF-8 become U+FFFD, in the records and in the count of offsets. Groups in it are
 * not records. It matches across chunks as it would match the whole text, as far as it looks at no more than 1,024 characters in
 * front of a match and `lookahead` after it, and a match has up to 1,024; its anchors `^` and `$` depend on where chunks end.
 *
 * @param by - The separator; not empty, and not a regular expression that matches the empty text.
 * @throws OptionError
 */
export function separator(by: string | RegExp, options: SeparatorOptions = {}): Splitter {
  checkSeparator(by)
  const read = readOptions('separator', options, separatorFields)
  if (typeof by === 'string') checkText(options)
  const start = typeof by === 'string' ? byText(by, read) : byPattern(by, read)
  return readingText({ name: 'separator', start }, read.encoding)
}

type Read = InForce<SeparatorOptions, typeof separatorFields>

function byText(by: string, read: Read): Splitter['start'] {
  const keepEmpty = read.empty === 'keep'
  return (outlet) => new SeparatorSplitter(outlet, textFinder(by), 'latin1', read, keepEmpty)
}

function byPattern(pattern: RegExp, read: Read): Splitter['start'] {
  const { maxRecordBytes, onTooLarge, lookahead = 1 } = read
  const keepEmpty = read.empty === 'keep'
  if (read.thread === true) {
    const task = { pattern, lookahead, limit: { maxRecordBytes, onTooLarge }, keepEmpty }
    return (outlet) => new PatternThread(outlet, task)
  }
  return (outlet) => new SeparatorSplitter(outlet, patternFinder(pattern, lookahead), 'utf8', read, keepEmpty)
}

function checkText(options: SeparatorOptions): void {
  for (const name of ['lookahead', 'thread'] as const) {
    if (options[name] === undefined) continue
    const words = `separator: ${name} is for regular expressions; a string needs none`
    throw new OptionError(`separator.${name}`, words)
  }
}

function checkSeparator(by: unknown): void {
  const isPattern = by instanceof RegExp
  if (
    isPattern ? !new RegExp(by.source, by.flags.replace(/[gy]/g, '')).test('') : typeof by === 'string' && by !== ''
  ) {
    return
  }
  const came = isPattern ? `${by}, which matches the empty text` : describe(by)
  throw new OptionError(
    'separator',
    `separator: the separator must be a string that is not empty, or a RegExp that does not match the empty text, but came as ${came}`,
  )
}
