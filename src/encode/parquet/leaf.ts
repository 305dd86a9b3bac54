import type { ColumnType } from './column-type.ts'
import type { ColumnValues } from './column-values.ts'
import { FixedValues } from './fixed-values.ts'
import { bytesForDigits, type PhysicalType, physicalType } from './physical-type.ts'
import type { Convert } from './scalars.ts'
import { TextValues } from './text-values.ts'

/** A type that has no others in it. */
export type LeafType = Exclude<ColumnType, { readonly kind: 'array' | 'map' | 'struct' }>

/**
 * A column as a file has it: its values, and for each place of a value, or of one that is missing, two levels (Dremel, "Nested columnar
 * storage"): up to where it is defined, and which list goes on there.
 */
export class Leaf {
  readonly type: LeafType
  /** The names on the way to it, in the file. */
  readonly path: readonly string[]
  readonly physical: PhysicalType
  readonly maxDefinition: number
  readonly maxRepetition: number
  readonly convert: Convert
  /** Where values are put that are text or bytes; or those of a fixed width. */
  readonly text: TextValues | undefined
  readonly fixed: FixedValues | undefined
  readonly values: ColumnValues
  definitions = new Uint8Array(1_024)
  repetitions: Uint8Array
  /** How many levels there are. */
  length = 0
  #markedLength = 0
  #markedCount = 0
  #markedKept = 0

  constructor(
    type: LeafType,
    path: readonly string[],
    levels: { readonly definition: number; readonly repetition: number },
    convert: Convert,
  ) {
    this.type = type
    this.path = path
    this.maxDefinition = levels.definition
    this.maxRepetition = levels.repetition
    this.convert = convert
    this.physical = physicalType(type)
    if (this.physical === 'BYTE_ARRAY') {
      this.text = new TextValues()
      this.values = this.text
    } else {
      this.fixed = new FixedValues(widthOf(type, this.physical))
      this.values = this.fixed
    }
    this.repetitions = new Uint8Array(this.maxRepetition > 0 ? 1_024 : 0)
  }

  /** Notes a place: that of a value where `definition` is the highest level. */
  level(definition: number, repetition: number): void {
    if (this.length === this.definitions.length) this.#grow()
    this.definitions[this.length] = definition
    if (this.maxRepetition > 0) this.repetitions[this.length] = repetition
    this.length += 1
  }

  /** Remembers what there is, for {@link rollBack}. */
  mark(): void {
    this.#markedLength = this.length
    this.#markedCount = this.values.count
    this.#markedKept = this.values.kept
  }

  /** Forgets what came after the last {@link mark}. */
  rollBack(): void {
    this.length = this.#markedLength
    this.values.truncate(this.#markedCount, this.#markedKept)
  }

  /** Forgets everything; the memory stays. */
  clear(): void {
    this.length = 0
    this.values.clear()
  }

  /** Adds what {@link convert} has made of a value. */
  add(value: unknown, repetition: number): void {
    if (typeof value === 'string') this.#addText(Buffer.from(value))
    else if (value instanceof Uint8Array) this.#addText(Buffer.from(value.buffer, value.byteOffset, value.length))
    else if (typeof value === 'bigint') this.#addLong(value)
    else if (typeof value === 'boolean') this.fixed?.byte(value ? 1 : 0)
    else this.#addNumber(Number(value))
    this.level(this.maxDefinition, repetition)
  }

  #addText(bytes: Buffer): void {
    this.text?.add(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
  }

  #addLong(value: bigint): void {
    if (this.physical === 'INT64') this.fixed?.long(value)
    else if (this.physical === 'INT32') this.fixed?.int32(Number(value))
    else this.fixed?.bigEndian(value)
  }

  #addNumber(value: number): void {
    if (this.physical === 'INT32') this.fixed?.int32(value)
    else this.fixed?.float(value)
  }

  #grow(): void {
    this.definitions = grown(this.definitions)
    if (this.maxRepetition > 0) this.repetitions = grown(this.repetitions)
  }
}

function grown(levels: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(levels.length * 2)
  larger.set(levels)
  return larger
}

function widthOf(type: LeafType, physical: PhysicalType): number {
  switch (physical) {
    case 'BOOLEAN':
      return 1
    case 'INT32':
    case 'FLOAT':
      return 4
    case 'INT64':
    case 'DOUBLE':
      return 8
    default:
      return type.kind === 'decimal' ? bytesForDigits(type.precision) : 1
  }
}
