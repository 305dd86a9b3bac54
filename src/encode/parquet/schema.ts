/** The schema as users write it. */
import { describe, OptionError, toError } from '../../errors.ts'
import { type Column, type ColumnType, parseColumnType, TypeTextError } from './column-type.ts'
import { foldKey, type KeyRules } from './key-names.ts'

/** A column of a {@link ParquetSchema}. */
export interface ParquetColumn {
  /** Its name in the file. */
  readonly name: string
  /** Its type, in the words of the Glue catalog: `decimal(10,2)`. */
  readonly type: string
}

/**
 * The columns of a file, in order: `{ id: 'bigint', tags: 'array<string>' }`, or a list of names and types. Names that are numbers
 * keep their order only in a list.
 */
export type ParquetSchema = Readonly<Record<string, string>> | readonly ParquetColumn[]

/**
 * Reads a schema.
 *
 * @throws OptionError that names the column, and the place in its type.
 */
export function readSchema(schema: ParquetSchema, rules: KeyRules): readonly Column[] {
  const columns = isList(schema) ? schema.map(readColumn) : Object.entries(schema).map(([n, type]) => readType(n, type))
  if (columns.length === 0) throw new OptionError('parquet.schema', 'parquet: schema must have at least one column')
  checkNames(columns, rules, '')
  return columns
}

function isList(schema: ParquetSchema): schema is readonly ParquetColumn[] {
  return Array.isArray(schema)
}

function readColumn(column: unknown, index: number): Column {
  if (typeof column === 'object' && column !== null && 'name' in column && 'type' in column) {
    const { name, type } = column
    if (typeof name === 'string') return readType(name, type)
  }
  throw new OptionError(
    `parquet.schema.${index}`,
    `parquet: schema must have columns of the form { name, type }, but column ${index} came as ${describe(column)}`,
  )
}

function readType(name: string, text: unknown): Column {
  const option = `parquet.schema.${name}`
  if (name === '') throw new OptionError('parquet.schema', 'parquet: schema must have a name for each column')
  if (typeof text !== 'string') {
    throw new OptionError(option, `parquet: the type of ${name} must be a string, but came as ${describe(text)}`)
  }
  try {
    return { name, type: parseColumnType(text) }
  } catch (error) {
    const { message } = toError(error)
    const position = error instanceof TypeTextError ? error.position : 1
    throw new OptionError(option, `parquet: the type of ${name} is wrong at character ${position}: ${message}`)
  }
}

/** Refuses names that one key would mean. */
function checkNames(columns: readonly Column[], rules: KeyRules, place: string): void {
  const names = new Map<string, string>()
  for (const { name, type } of columns) {
    const folded = foldKey(name, rules)
    const other = names.get(folded)
    if (other !== undefined) {
      const both = other === name ? `${place}${name} twice` : `${place}${other} and ${place}${name}, which are one here`
      throw new OptionError(
        `parquet.schema.${place}${name}`,
        `parquet: schema must have each name once, but has ${both}`,
      )
    }
    names.set(folded, name)
    checkNested(type, rules, `${place}${name}`)
  }
}

function checkNested(type: ColumnType, rules: KeyRules, place: string): void {
  if (type.kind === 'struct') checkNames(type.members, rules, `${place}.`)
  else if (type.kind === 'array') checkNested(type.element, rules, place)
  else if (type.kind === 'map') checkNested(type.value, rules, place)
}
