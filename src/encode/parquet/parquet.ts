import { availableParallelism } from 'node:os'
import { describe, OptionError, toError } from '../../errors.ts'
import {
  described,
  expecting,
  type Fields,
  flag,
  type InForce,
  object,
  oneOf,
  option,
  readOptions,
  size,
  unknownOption,
  whole,
} from '../../options.ts'
import type { Size } from '../../units.ts'
import type { Encoder, PartlyEncoded } from '../encoder.ts'
import type { Column } from './column-type.ts'
import { type GroupShape, rowShapeOf } from './group-shape.ts'
import { foldKey, type KeyRules } from './key-names.ts'
import { ParquetFiles } from './parquet-files.ts'
import { type ParquetSchema, readSchema } from './schema.ts'

/** What {@link parquet} takes. `schema`, or `infer: true`, has to be there. */
export interface ParquetOptions {
  /**
   * The columns: names, and types in the words of the Glue catalog. These are `string`, `boolean`, `tinyint`, `smallint`, `int`,
   * `bigint`, `float`, `double`, `decimal(precision,scale)`, `date`, `timestamp`, `binary`, `array<type>`, `map<type,type>` and
   * `struct<name:type,…>`. Default: none, and then `infer` has to be `true`.
   */
  readonly schema?: ParquetSchema | undefined
  /**
   * Whether the columns are found in the first batch: booleans, whole numbers (`bigint`), numbers (`double`), text, arrays and objects
   * (`struct`); what is none of these alone becomes `string`. Danger: all later batches have the columns of the first. A member
   * that comes new is dropped, and a record whose values do not fit fails. Default `false`.
   */
  readonly infer?: boolean | undefined
  /**
   * How pages are compressed: `'snappy'`, `'gzip'`, `'zstd'` (Node 22.15, 23.8 or newer; else with the package `@cloudpss/zstd`),
   * or `'none'`. Default `'snappy'`, as in the service (API, `ParquetSerDe`).
   */
  readonly compression?: 'snappy' | 'zstd' | 'gzip' | 'none' | undefined
  /**
   * Whether upper and lower case of keys are the same when columns and members are looked for (API, `OpenXJsonSerDe`). Of keys that are
   * equal the last one counts. Keys in maps, and in objects that become text, stay as they are; the service writes those in lower case.
   * Default `true`.
   */
  readonly caseInsensitive?: boolean | undefined
  /** Whether a key with dots is that of a column with underscores: `a.b` of `a_b` (API, `OpenXJsonSerDe`). Default `false`. */
  readonly convertDotsInJsonKeysToUnderscores?: boolean | undefined
  /**
   * The JSON keys of columns that are called otherwise there (API, `OpenXJsonSerDe`): `{ ts: 'timestamp' }`. A column's own name does
   * not count then. Columns only, not members of structs. Default: none.
   */
  readonly columnToJsonKeyMappings?: Readonly<Record<string, string>> | undefined
  /**
   * The forms of times in `timestamp` columns, tried in order before the usual ones: patterns of Joda-Time, as Hive's SerDe takes them (API,
   * `HiveJsonSerDe`, `TimestampFormats`), such as `'dd/MMM/yyyy:HH:mm:ss Z'`; and words that say what numbers count, `'seconds'`, `'millis'`,
   * `'micros'` or `'nanos'`. A pattern without a zone means UTC, one without a time the start of the day. Default: none.
   */
  readonly timestampFormats?: readonly string[] | undefined
  /**
   * How much of the records is written as one row group: bytes of JSON, and 8 for each column of a record. A group is held in memory
   * until it is written, in columns, which take about twice their JSON, and whose memory is kept for the next group. Readers
   * like large groups; the service has 256 MiB of columns (API, `ParquetSerDe`, `BlockSizeBytes`). At least 1. Default 16,777,216.
   */
  readonly rowGroupBytes?: Size | undefined
  /**
   * How many row groups are written by threads at a time; all encoders of the process share as many threads as there are cores. They are started when
   * 32 MiB of records have come: a short job would end before them. They take half as much processor time again, and the memory of a group each, so
   * that they pay where cores are idle. 0 means none. Default: one less than there are cores, and none where there are less than four.
   */
  readonly threads?: number | undefined
  /** How large a page of a column is, before compression, in bytes (API, `ParquetSerDe`, `PageSizeBytes`). At least 65,536. Default 1,048,576. */
  readonly pageBytes?: Size | undefined
}

const MiB = 1024 * 1024
const cores = availableParallelism()
const defaultThreads: number = cores < 4 ? 0 : cores - 1
/** The table of {@link ParquetOptions}. */
export const parquetFields = {
  schema: expecting('an object of types by column, or a list of { name, type }', object.accepts),
  infer: option(flag, { default: false, about: 'Whether the columns are found in the first batch.' }),
  compression: option(oneOf('snappy', 'zstd', 'gzip', 'none'), {
    default: 'snappy',
    about: 'How pages are compressed.',
  }),
  caseInsensitive: option(flag, { default: true, about: 'Whether upper and lower case of keys are the same.' }),
  convertDotsInJsonKeysToUnderscores: option(flag, {
    default: false,
    about: 'Whether a key with dots is that of a column with underscores.',
  }),
  columnToJsonKeyMappings: option(
    expecting(
      'an object of JSON keys by column',
      (value) => object.accepts(value) && Object.values(Object(value)).every((key) => typeof key === 'string'),
      { type: 'object', additionalProperties: { type: 'string' } },
    ),
    { default: {}, about: 'The JSON keys of columns that are called otherwise there.' },
  ),
  timestampFormats: option(
    expecting(
      'a list of patterns',
      (value) => Array.isArray(value) && value.every((one) => typeof one === 'string' && one !== ''),
      { type: 'array', items: { type: 'string', minLength: 1 } },
    ),
    {
      default: [],
      about: 'The forms of times, as patterns of Joda-Time, or a unit of numbers: seconds, millis, micros, nanos.',
    },
  ),
  rowGroupBytes: option(size(), { default: 16 * MiB, about: 'How much of the records is written as one row group.' }),
  threads: described(
    whole('threads', 0),
    'How many row groups are written by threads at a time, once 32 MiB have come. Default: one less than there are cores, from four on.',
  ),
  pageBytes: option(size(65_536), { default: MiB, about: 'How large a page of a column is, before compression.' }),
} satisfies Fields<ParquetOptions>

/**
 * An encoder that writes the records of a batch, which have to be JSON objects, as a Parquet file. Needs the package `snappy` beside
 * hosepipe, unless `compression` says otherwise.
 *
 * Values are made to fit as the service does it (guide, "Record format conversion", OpenX JsonSerDe): text that is a number becomes a
 * number, any value becomes text or an array of itself, an array becomes a struct by position; a missing member is null, and one
 * that the schema does not have is dropped. Numbers keep all of their digits. `timestamp` takes `2018-08-27T10:30:05.123Z` and
 * `2018-08-27 10:30:05.123`, each with an offset or without (UTC), what `timestampFormats` say, and numbers since 1970, whose unit is told by
 * their size: up to eleven digits are seconds, up to fourteen milliseconds, up to seventeen microseconds, more are nanoseconds. It is
 * written in microseconds, UTC; a year beyond 9999 fails. `date` takes `2018-08-27`; `binary` takes base64. Stricter than the service are: text that is neither `true` nor
 * `false` for `boolean`, numbers that are out of range, and numbers with a fraction for whole ones; these fail. Digits behind those of a
 * `decimal` are rounded. A record may also be several objects, one after another, which become several rows.
 *
 * A record that does not fit fails alone, with one of the service's own codes, and goes to the backup as `format-conversion-failed`. A
 * batch whose records all fail makes no object. Its file is compressed in itself: a `compress` beside it is refused. What `batch` counts
 * are the bytes of the records' JSON; files are smaller.
 *
 * @returns An encoder: extension `.parquet`, type `application/vnd.apache.parquet`. With `infer` make one for each stream.
 * @throws OptionError when an option is not as described; a type that cannot be read is named with the place.
 * @throws HosepipeError `Encode.Unavailable` when the package `snappy` is not installed, `Compress.Unavailable` when there is no zstd.
 * @example
 * deliver(s3({ bucket: 'lake', encode: parquet({ schema: { id: 'bigint', tags: 'array<string>', at: 'timestamp' } }) }))
 */
export function parquet(options: ParquetOptions): Encoder<PartlyEncoded> {
  const read = readOptions('parquet', options, parquetFields)
  const files = new ParquetFiles(checkTogether(read), { ...read, threads: read.threads ?? defaultThreads })
  return {
    name: 'parquet',
    extension: '.parquet',
    contentType: 'application/vnd.apache.parquet',
    overhead: { record: 0, batch: 0 },
    compresses: true,
    encode: (runs) => files.encode(runs),
  }
}

/** Refuses what each option alone does not show. @returns The columns that were given, and how keys are read. */
function checkTogether(options: InForce<ParquetOptions, typeof parquetFields>): GroupShape {
  const { schema, infer, columnToJsonKeyMappings } = options
  const rules = {
    caseInsensitive: options.caseInsensitive,
    dotsToUnderscores: options.convertDotsInJsonKeysToUnderscores,
  }
  if ((schema === undefined) !== infer) {
    const came = schema === undefined ? 'neither came' : 'both came'
    throw new OptionError('parquet.schema', `parquet: there must be a schema, or infer: true, but ${came}`)
  }
  const columns: readonly Column[] = schema === undefined ? [] : readSchema(schema, rules)
  const jsonKeys: ReadonlyMap<string, string> = new Map(Object.entries<string>(columnToJsonKeyMappings))
  const names = columns.map(({ name }) => name)
  for (const name of jsonKeys.keys()) {
    if (!infer && !names.includes(name)) throw unknownOption('parquet.columnToJsonKeyMappings', name, names)
  }
  checkKeys(infer ? [...jsonKeys.values()] : names.map((name) => jsonKeys.get(name) ?? name), rules)
  const { timestampFormats, compression, pageBytes } = options
  const shape = { columns, rules, jsonKeys, timestampFormats, compression, pageBytes }
  checkTimes(shape)
  return shape
}

function checkTimes(shape: GroupShape): void {
  try {
    rowShapeOf(shape)
  } catch (error) {
    throw new OptionError(
      'parquet.timestampFormats',
      `parquet: timestampFormats cannot be used: ${toError(error).message}`,
    )
  }
}

/** A key can be that of one column only. */
function checkKeys(keys: readonly string[], rules: KeyRules): void {
  const seen = new Set<string>()
  for (const key of keys) {
    const folded = foldKey(key, rules)
    if (seen.has(folded)) {
      throw new OptionError(
        'parquet.columnToJsonKeyMappings',
        `parquet: columnToJsonKeyMappings must give each column a key of its own, but two have ${describe(key)}`,
      )
    }
    seen.add(folded)
  }
}
