/** The schema as a Parquet file has it. */
import type { SchemaElement } from 'hyparquet-writer'
import type { Column, ColumnType } from './column-type.ts'

/** The schema of a file: its columns in depth-first order, below a root. Everything may be null but the keys of maps. */
export function schemaElements(columns: readonly Column[]): SchemaElement[] {
  return [
    { name: 'root', num_children: columns.length },
    ...columns.flatMap(({ name, type }) => elementsOf(name, type)),
  ]
}

type Repetition = 'OPTIONAL' | 'REQUIRED' | 'REPEATED'

/** Parquet format, LogicalTypes.md: lists and maps have three levels, with these names. */
function elementsOf(name: string, type: ColumnType, repetition: Repetition = 'OPTIONAL'): SchemaElement[] {
  const own = { name, repetition_type: repetition }
  switch (type.kind) {
    case 'array':
      return [
        { ...own, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        ...elementsOf('element', type.element),
      ]
    case 'map':
      return [
        { ...own, num_children: 1, converted_type: 'MAP', logical_type: { type: 'MAP' } },
        { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
        ...elementsOf('key', type.key, 'REQUIRED'),
        ...elementsOf('value', type.value),
      ]
    case 'struct':
      return [
        { ...own, num_children: type.members.length },
        ...type.members.flatMap((member) => elementsOf(member.name, member.type)),
      ]
    default:
      return [{ ...own, ...physicalType(type) }]
  }
}

type LeafType = Exclude<ColumnType, { readonly kind: 'array' | 'map' | 'struct' }>

function physicalType(type: LeafType): Omit<SchemaElement, 'name'> {
  switch (type.kind) {
    case 'string':
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } }
    case 'boolean':
      return { type: 'BOOLEAN' }
    // The writer gives the width of a logical type in a form that readers do not take, so these have the older one alone.
    case 'tinyint':
      return { type: 'INT32', converted_type: 'INT_8' }
    case 'smallint':
      return { type: 'INT32', converted_type: 'INT_16' }
    case 'int':
      return { type: 'INT32' }
    case 'bigint':
      return { type: 'INT64' }
    case 'float':
      return { type: 'FLOAT' }
    case 'double':
      return { type: 'DOUBLE' }
    case 'date':
      return { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } }
    case 'timestamp':
      return {
        type: 'INT64',
        converted_type: 'TIMESTAMP_MICROS',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
      }
    case 'binary':
      return { type: 'BYTE_ARRAY' }
    case 'decimal': {
      const { precision, scale } = type
      const logical: Omit<SchemaElement, 'name'> = {
        converted_type: 'DECIMAL',
        precision,
        scale,
        logical_type: { type: 'DECIMAL', precision, scale },
      }
      if (precision <= 9) return { type: 'INT32', ...logical }
      if (precision <= 18) return { type: 'INT64', ...logical }
      return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: bytesFor(precision), ...logical }
    }
  }
}

/** Bytes that hold every number of so many digits, with its sign. */
function bytesFor(precision: number): number {
  const bits = (10n ** BigInt(precision)).toString(2).length + 1
  return Math.ceil(bits / 8)
}
