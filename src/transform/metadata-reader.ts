import { describe, OptionError } from '../errors.ts'
import { checkOptions, expecting, type Fields } from '../options.ts'
import { namesIn } from '../records/field-path.ts'
import type { Records } from '../records/records.ts'
import type { Reader, RecordFunction } from './view.ts'

/** Options of {@link metadata}. */
export interface MetadataOptions {
  /** What stands in a partition key for a member that is missing, `null` or an empty string. Default: none, so such a record fails. */
  readonly default?: string | undefined
}

const optionFields: Fields<MetadataOptions> = {
  default: expecting('a string that is not empty', (value) => typeof value === 'string' && value !== ''),
}

/** A member of what a record's source knows of it, for `filter`, `batch` and others; made by {@link metadata}. */
export class MetadataReader implements RecordFunction {
  /** The path as text, with dots: the name of the partition key that it makes. */
  readonly name: string
  /** What stands in a partition key for a missing member. */
  readonly default: string | undefined
  readonly look: Reader = this
  readonly meaning = 'result'
  readonly takesContext = false
  readonly #path: readonly string[]

  /** @internal */
  constructor(path: readonly string[], options: MetadataOptions) {
    this.#path = path
    this.name = path.join('.')
    this.default = options.default
  }

  /** The member's value for the record at `index`; `undefined` where there is none. Bytes are text. */
  read(records: Records, index: number): unknown {
    let value: unknown = records.metadata?.at(index)
    for (const name of this.#path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
      value = Reflect.get(value, name)
    }
    return Buffer.isBuffer(value) ? value.toString() : value
  }

  /** What a function of a record answers that only reads: the value itself. */
  call(value: unknown): unknown {
    return value
  }
}

/**
 * Names a member of what a record's source knows of it: `metadata('topic')` of Kafka, `metadata('headers.tenant')`.
 *
 * @param path - A name, or names with a dot between each two, where `\.` is a dot in a name.
 * @throws OptionError when the path is empty or has an empty name, or an option cannot be taken.
 * @example
 * batch({ key: { topic: metadata('topic'), day: field('day') } })
 * transform(filter(metadata('headers.type'), (type) => type === 'order'))
 */
export function metadata(path: string, options: MetadataOptions = {}): MetadataReader {
  checkOptions<MetadataOptions>('metadata', options, optionFields)
  const names = typeof path === 'string' ? namesIn(path) : undefined
  if (names !== undefined) return new MetadataReader(names, options)
  const words = `metadata: path must be a name, or names with a dot between each two, but came as ${describe(path)}`
  throw new OptionError('metadata.path', words)
}
