/** The text forms of options that are functions in the library: splitters, encoders, compressors, keys. */
import { describe } from '../errors.ts'
import {
  type Compressor,
  concatenated,
  type Encoder,
  field,
  gzip,
  jsonArray,
  jsonValues,
  type Key,
  lengthPrefixed,
  lines,
  ndjson,
  none,
  type Splitter,
  separated,
  separator,
  zstd,
} from '../index.ts'
import { hasMethod, nearestOf } from '../options.ts'
import { columnsOf } from './columns.ts'
import { type Config, isObject } from './config.ts'
import { needing, UsageError, wordsOf } from './usage-error.ts'

type Make<T> = (options: Config, text: string | undefined) => T

const splitters: Readonly<Record<string, Make<Splitter | Promise<Splitter>>>> = {
  lines: (options) => lines(passOn(options)),
  json: (options, path) => jsonValues({ ...(path !== undefined && { path }), ...options }),
  regex: (options, text) => {
    const { pattern = text, ...others } = options
    return separator(expression(pattern), passOn({ thread: true, ...others }))
  },
  separator: (options, text) => {
    const { separator: by = text, ...others } = options
    if (typeof by !== 'string') throw new UsageError('split: by separator takes a separator: separator:TEXT')
    return separator(by, passOn(others))
  },
  'length-prefixed': (options) => lengthPrefixed(passOn(options)),
  csv: async (options) => (await importCsv()).csvRows(passOn(options)),
}

const encoders: Readonly<Record<string, Make<Encoder | Promise<Encoder>>>> = {
  ndjson: (options) => ndjson(passOn(options)),
  'json-array': () => jsonArray(),
  concatenated: () => concatenated(),
  separated: (options, text) => {
    const { separator: by = text } = options
    if (typeof by !== 'string') throw new UsageError('encode: by separated takes a separator: separated:TEXT')
    return separated(by)
  },
  csv: async (options) => (await importCsv()).csv(passOn(options)),
  parquet: async (options, columns) => {
    const { parquet } = await import('../encode/parquet/index.ts')
    const schema = columns === undefined ? undefined : columnsOf(columns)
    const isGiven = schema !== undefined || options.schema !== undefined
    return parquet(passOn({ ...(schema && { schema }), ...(!isGiven && { infer: true }), ...options }))
  },
}

const compressors: Readonly<Record<string, Make<Compressor>>> = {
  gzip: (options, level) => gzip({ ...levelOf('gzip', level), ...options }),
  zstd: (options, level) => zstd({ ...levelOf('zstd', level), ...options }),
  none: () => none,
}

const importCsv = () => import('../encode/csv/index.ts').catch(needing('csv-parse csv-stringify'))

/** `lines`, `json`, `json:path`, `regex:PATTERN`, `separator:TEXT`, `length-prefixed`, `csv`; `{ by, … }`; or a splitter. @throws Error in words */
export async function splitterOf(given: unknown): Promise<Splitter> {
  if (given === undefined) return lines()
  if (isSplitter(given)) return given
  return make('split', splitters, given)
}

/** `ndjson`, `json-array`, `concatenated`, `separated:TEXT`, `csv`, `parquet`, `parquet:COLUMNS`; `{ by, … }`; or an encoder. @throws Error in words */
export async function encoderOf(given: unknown): Promise<Encoder> {
  return isEncoder(given) ? given : make('encode', encoders, given)
}

/** `gzip`, `gzip:9`, `zstd`, `none`; `{ by, … }`; or a compressor. @throws Error in words */
export function compressorOf(given: unknown): Compressor {
  return isCompressor(given) ? given : make('compress', compressors, given)
}

const queryPrefix = 'jq:'

/** A field's path; a template with fields in braces; `jq:` and a query; a list of paths; or what `batch({ key })` takes. @throws Error in words */
export async function keyOf(given: unknown): Promise<unknown> {
  if (typeof given === 'string' && given.startsWith(queryPrefix)) {
    const { anyJq } = await import('../transform/jq/any-jq.ts')
    return anyJq(given.slice(queryPrefix.length))
  }
  if (typeof given === 'string') return /[{}]/.test(given) ? given : field(given)
  if (!Array.isArray(given)) return given
  if (given.length === 1) return keyOf(given[0])
  const parts = given.map((path): readonly [string, Key] => {
    if (typeof path === 'string' && !/[{}]/.test(path)) return [path, field(path)]
    throw new UsageError(`key: of several, each must be the path of a field, but one is ${describe(path)}`)
  })
  return Object.fromEntries(parts)
}

/** A field's path, an object with one as `from`, or what `batch({ timestampFrom })` takes. @throws Error in words */
export function timestampOf(given: unknown): unknown {
  if (typeof given === 'string') return field(given)
  if (!isObject(given) || typeof given.from !== 'string') return given
  return { ...given, from: field(given.from) }
}

function make<T>(option: string, table: Readonly<Record<string, Make<T>>>, given: unknown): T {
  const { by, ...options } = isObject(given) ? given : { by: given }
  if (typeof by !== 'string') {
    const forms = Object.keys(table).join(', ')
    throw new UsageError(
      `${option} must be one of ${forms}, or an object with one of them as "by", but came as ${describe(by)}`,
    )
  }
  const [, name = by, text] = /^([a-z-]+):(.*)$/s.exec(by) ?? []
  const known = Object.hasOwn(table, name) ? table[name] : undefined
  if (known !== undefined) {
    if (text !== undefined && !['json', 'regex', 'separator', 'separated', 'gzip', 'zstd', 'parquet'].includes(name)) {
      throw new UsageError(`${option}: ${name} takes nothing behind a colon, but came as ${describe(by)}`)
    }
    return known(options, text)
  }
  const nearest = nearestOf(name, Object.keys(table))
  const hint = nearest === undefined ? `there are ${Object.keys(table).join(', ')}` : `did you mean ${nearest}?`
  throw new UsageError(`${option}: there is no ${JSON.stringify(name)}; ${hint}`)
}

function expression(pattern: unknown): RegExp {
  if (typeof pattern !== 'string' || pattern === '') {
    throw new UsageError('split: by regex takes a pattern: regex:PATTERN')
  }
  try {
    return new RegExp(pattern, 'u')
  } catch (error) {
    throw new UsageError(`split: the pattern is no regular expression: ${wordsOf(error)}`)
  }
}

function levelOf(name: string, text: string | undefined): object {
  if (text === undefined) return {}
  if (/^\d+$/.test(text)) return { level: Number(text) }
  throw new UsageError(`${name}: the level must be a whole number, but came as ${describe(text)}`)
}

/** Options that came as text or as a module's values, for a function of the library, which checks every one of them itself. */
export function passOn(options: object): object {
  return { ...options }
}

function isSplitter(value: unknown): value is Splitter {
  return hasMethod(value, 'start')
}

function isEncoder(value: unknown): value is Encoder {
  return hasMethod(value, 'encode')
}

function isCompressor(value: unknown): value is Compressor {
  return hasMethod(value, 'compress')
}
