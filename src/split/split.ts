import { describe, OptionError } from '../errors.ts'
import { checkOptions, type Fields, filled, hasMethod } from '../options.ts'
import { Stage, type StageOptions, stageFields } from '../stage/stage.ts'
import { splitCore } from './split-core.ts'
import type { Splitter } from './splitter.ts'

/** Options of {@link split}. */
export interface SplitOptions extends StageOptions {
  /**
   * What the bytes come from, in words that no other input has: a path, and what tells one version of the file from the next. It
   * becomes part of each record's position, and so of object keys that are made from positions. Default: none.
   */
  readonly source?: string | undefined
}

const fields = { ...stageFields, source: filled } satisfies Fields<SplitOptions>

/**
 * Finds the records in a stream of bytes: bytes in, {@link Records} out. Text counts as its UTF-8 bytes. Values that are neither
 * bytes nor text are records already and go through as they are.
 *
 * @param splitter - How records are told apart: `lines()`, `separator(…)`, `jsonValues(…)`, `lengthPrefixed()`, or your own.
 * @throws OptionError for an option that is not known, or not as described.
 * @example
 * source('events.ndjson').pipe(split(lines()))
 */
export function split(splitter: Splitter, options: SplitOptions = {}): Stage {
  if (!hasMethod(splitter, 'start')) {
    throw new OptionError('split', `split takes a splitter, such as lines(), but came as ${describe(splitter)}`)
  }
  checkOptions<SplitOptions>('split', options, fields)
  const { source, clock } = options
  return new Stage({ name: `split(${splitter.name})`, clock }, ({ account, clock: itsClock, push }) => {
    const core = splitCore(splitter, { account, clock: itsClock, source, push: (chunk) => void push(chunk) })
    return {
      ...core,
      records: (records) => void push(records),
      failed: (failed) => void push(failed),
    }
  })
}
