import { fileURLToPath } from 'node:url'
import { type Clock, systemClock } from '../clock.ts'
import { describe, OptionError } from '../errors.ts'
import {
  clock,
  duration,
  expecting,
  type Fields,
  filled,
  flag,
  hasMethod,
  object,
  oneOf,
  option,
  readOptions,
  required,
} from '../options.ts'
import type { Splitter } from '../split/splitter.ts'
import type { Duration } from '../units.ts'
import { FileSource, type Source, type SourceOptions, sourceFields } from './file-source.ts'
import { FileTexts } from './file-texts.ts'
import { RecordSource } from './record-source.ts'
import { Tail } from './tail.ts'

/** Options of {@link source} for records. */
export interface RecordSourceOptions extends SourceOptions {
  /** How records are found in each file: `lines()`, `csvRows()`, … */
  readonly split: Splitter
  /** Whether files that are compressed with gzip or zstd are decompressed, told by their first bytes; see `decompress`. Default `true`. */
  readonly decompress?: boolean | undefined
  /**
   * Follows one file as it grows, is rotated (moved, and begun anew), or cut short (`copytruncate`), until `stop()` or the stream is destroyed.
   * `true` takes the defaults of {@link TailOptions}. Default `false`.
   */
  readonly tail?: boolean | TailOptions | undefined
  /** Time, for tests. Default: the system's. */
  readonly clock?: Clock | undefined
}

/** How a file is followed. */
export interface TailOptions {
  /**
   * The path of a small file that holds where reading has to go on: behind the last record before which all have ended. After a crash the
   * records behind it come again. Default: none; the file is read from `from` on each time.
   */
  readonly position?: string | undefined
  /** Where to begin where no position is kept: at the file's start, or with what comes next. Default `'start'`. */
  readonly from?: 'start' | 'end' | undefined
  /** How long to wait before a file that has not grown is looked at again. Default `'500ms'`; at least 1 millisecond. */
  readonly pollEvery?: Duration | undefined
  /** How long the position may be older than what has ended; it is always written at the end. Default `'1s'`. */
  readonly commitEvery?: Duration | undefined
}

const tailFields = {
  position: filled,
  from: option(oneOf('start', 'end'), { default: 'start' }),
  pollEvery: option(duration(1), { default: 500 }),
  commitEvery: option(duration(), { default: 1000 }),
} satisfies Fields<TailOptions>

const recordFields = {
  ...sourceFields,
  split: required(expecting('a splitter, such as lines()', (value) => hasMethod(value, 'start'))),
  decompress: option(flag, { default: true }),
  tail: expecting('true, false or an object of options', (value) => flag.accepts(value) || object.accepts(value)),
  clock,
} satisfies Fields<RecordSourceOptions>

/**
 * The records of files: of one, of several one after another, of all below a folder, or of those that a pattern (`logs/*.gz`) matches, in the
 * order of their names. Each file is a text of its own: a record never goes over its end. Positions name the file. What is compressed is
 * decompressed.
 *
 * A file that is not there, or a pattern without a match, ends the stream with an error before anything is read. With `tail`, a file that is not there yet is
 * waited for.
 *
 * @throws OptionError
 * @example
 * pipeline(source(['logs', 'more/*.gz'], { split: lines() }), batch(), deliver(to))
 * pipeline(source('app.log', { split: lines(), tail: { position: 'app.log.position' } }), batch(), deliver(to))
 */
export function source(
  paths: string | URL | readonly (string | URL)[],
  options: RecordSourceOptions & { readonly split: Splitter },
): RecordSource
/**
 * A stream of a file's bytes, in large chunks and read ahead. Also takes pipes and devices, which are read as they come; as
 * with `createReadStream`, a read of an empty pipe holds a thread of Node's pool, and a destroyed stream closes when it has ended. The
 * file is closed when the stream ends or is destroyed; errors of the file system are the stream's, with their `code`.
 *
 * @param path - A path, or a `file:` URL.
 * @throws OptionError
 * @example
 * pipeline(source('events.ndjson'), split(lines()), batch(), deliver(file({ dir: './out' })))
 */
export function source(path: string | URL, options?: SourceOptions): Source
export function source(
  given: string | URL | readonly (string | URL)[],
  options: SourceOptions | RecordSourceOptions = {},
): Source | RecordSource {
  if (isForRecords(options)) return recordSource([given].flat().map(toPath), options)
  if (typeof given !== 'string' && !(given instanceof URL)) {
    const words = 'source: several files need a split, such as lines(), since a record must not go over the end of one'
    throw new OptionError('source.split', words)
  }
  return new FileSource(toPath(given), readOptions('source', options, sourceFields))
}

function isForRecords(options: object): options is RecordSourceOptions {
  return 'split' in options && options.split !== undefined
}

function toPath(given: string | URL): string {
  if (typeof given === 'string' && given !== '') return given
  if (given instanceof URL && given.protocol === 'file:') return fileURLToPath(given)
  throw new OptionError('source', `source takes a path or a file: URL, but came as ${describe(given)}`)
}

function recordSource(paths: readonly string[], options: RecordSourceOptions): RecordSource {
  const { split, decompress, tail, clock: given, ...reading } = readOptions('source', options, recordFields)
  const itsClock = given ?? systemClock
  const [path, ...others] = paths
  if (path === undefined) throw new OptionError('source', 'source takes a path or more, but came with none')
  if (tail === undefined || tail === false) {
    const open = (one: string) => new FileSource(one, reading)
    return new RecordSource(new FileTexts({ paths, decompresses: decompress, open }), split, itsClock)
  }
  if (others.length > 0) throw new OptionError('source.tail', 'source: tail follows one file, but there are several')
  const following = readOptions<TailOptions, typeof tailFields>('source.tail', tail === true ? {} : tail, tailFields)
  if (split.needsStart && (following.position !== undefined || following.from === 'end')) {
    const words = `source: tail cannot begin in the middle of a file with ${split.name}, which needs its start: leave out position and from`
    throw new OptionError('source.tail', words)
  }
  const shape = { ...following, position: following.position, path, readBytes: reading.readBytes, clock: itsClock }
  return new RecordSource(new Tail(shape), split, itsClock)
}
