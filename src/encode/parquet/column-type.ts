/**
 * The types of columns, in the words of the Glue catalog and of Hive: `decimal(10,2)`, `array<struct<sku:string,count:int>>`.
 */
import { nearestOf } from '../../options.ts'

/** What a column, an element or a member holds. */
export type ColumnType =
  | { readonly kind: PlainKind }
  | DecimalType
  | { readonly kind: 'array'; readonly element: ColumnType }
  | { readonly kind: 'map'; readonly key: ColumnType; readonly value: ColumnType }
  | { readonly kind: 'struct'; readonly members: readonly Column[] }

/** Numbers of at most `precision` digits, `scale` of them behind the point. */
export interface DecimalType {
  readonly kind: 'decimal'
  readonly precision: number
  readonly scale: number
}

/** A name, and what it holds. */
export interface Column {
  readonly name: string
  readonly type: ColumnType
}

type PlainKind = (typeof plainKinds)[number]
const plainKinds = [
  'string',
  'boolean',
  'tinyint',
  'smallint',
  'int',
  'bigint',
  'float',
  'double',
  'date',
  'timestamp',
  'binary',
] as const
const allKinds = [...plainKinds, 'decimal', 'array', 'map', 'struct']

/** What a `decimal` without parentheses is in Hive. */
const defaultDecimal = { kind: 'decimal', precision: 10, scale: 0 } as const
const maxPrecision = 38
/** Deeper types are a mistake; a bound keeps them from the end of the stack. */
const maxDepth = 50

/** A type that cannot be read; `position` is that of the first character which is wrong, from 1 on. */
export class TypeTextError extends Error {
  readonly position: number

  constructor(position: number, message: string) {
    super(message)
    this.position = position
  }
}

/**
 * Reads the text of a type.
 *
 * @throws TypeTextError
 */
export function parseColumnType(text: string): ColumnType {
  let at = 0
  const type = readType(0)
  if (peek() !== '') throw expected('the end')
  return type

  function readType(depth: number): ColumnType {
    skipSpace()
    const start = at
    const word = readWord('a type').toLowerCase()
    if (depth > maxDepth) throw new TypeTextError(start + 1, `types in types must be at most ${maxDepth} deep`)
    const plain = plainKinds.find((kind) => kind === word)
    if (plain !== undefined) return { kind: plain }
    switch (word) {
      case 'decimal':
        return readDecimal()
      case 'array': {
        take('<')
        const element = readType(depth + 1)
        take('>')
        return { kind: 'array', element }
      }
      case 'map': {
        take('<')
        const key = readKeyType(depth + 1)
        take(',')
        const value = readType(depth + 1)
        take('>')
        return { kind: 'map', key, value }
      }
      case 'struct':
        return { kind: 'struct', members: readMembers(depth + 1) }
    }
    throw new TypeTextError(start + 1, `there is no type ${JSON.stringify(word)}; ${hint(word)}`)
  }

  function readKeyType(depth: number): ColumnType {
    skipSpace()
    const start = at
    const type = readType(depth)
    if (type.kind === 'array' || type.kind === 'map' || type.kind === 'struct' || type.kind === 'binary') {
      throw new TypeTextError(start + 1, `the keys of a map cannot be of type ${type.kind}`)
    }
    return type
  }

  function readMembers(depth: number): readonly Column[] {
    const members: Column[] = []
    take('<')
    do {
      const name = readWord('a name')
      take(':')
      members.push({ name, type: readType(depth) })
    } while (takes(','))
    take('>')
    return members
  }

  function readDecimal(): DecimalType {
    if (!takes('(')) return defaultDecimal
    const precision = readNumber('a precision', 1, maxPrecision)
    const scale = takes(',') ? readNumber('a scale', 0, precision) : 0
    take(')')
    return { kind: 'decimal', precision, scale }
  }

  function readNumber(what: string, min: number, max: number): number {
    skipSpace()
    const start = at
    const word = readWord(what)
    const value = Number(word)
    if (/^\d+$/.test(word) && value >= min && value <= max) return value
    throw new TypeTextError(
      start + 1,
      `${what} must be a whole number from ${min} to ${max}, but came as ${JSON.stringify(word)}`,
    )
  }

  function readWord(what: string): string {
    skipSpace()
    const [word] = /^[^\s<>():,]+/.exec(text.slice(at)) ?? []
    if (word === undefined) throw expected(what)
    at += word.length
    return word
  }

  function take(sign: string): void {
    if (!takes(sign)) throw expected(JSON.stringify(sign))
  }

  function takes(sign: string): boolean {
    if (peek() !== sign) return false
    at += 1
    return true
  }

  function peek(): string {
    skipSpace()
    return text.charAt(at)
  }

  function skipSpace(): void {
    while (/\s/.test(text.charAt(at))) at += 1
  }

  function expected(what: string): TypeTextError {
    const came = peek() === '' ? 'the end' : JSON.stringify(peek())
    return new TypeTextError(at + 1, `${what} must come, but ${came} came`)
  }
}

function hint(word: string): string {
  // Glue, "Record format conversion": sets have to be declared as arrays.
  if (word === 'set') return 'declare an array'
  const nearest = nearestOf(word, allKinds)
  return nearest === undefined ? `there are ${allKinds.join(', ')}` : `did you mean ${nearest}?`
}
