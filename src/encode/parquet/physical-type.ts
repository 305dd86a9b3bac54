import type { ColumnType } from './column-type.ts'

/** How a value stands in a file (Parquet format, "Types"), by its number there. */
export const physicalTypes = {
  BOOLEAN: 0,
  INT32: 1,
  INT64: 2,
  FLOAT: 4,
  DOUBLE: 5,
  BYTE_ARRAY: 6,
  FIXED_LEN_BYTE_ARRAY: 7,
} as const

/** One of {@link physicalTypes}. */
export type PhysicalType = keyof typeof physicalTypes

/** The largest precisions that 32 and 64 bits hold (Parquet format, LogicalTypes.md, "DECIMAL"). */
const digitsOf32 = 9
const digitsOf64 = 18

/** How the values of a type stand in a file. */
export function physicalType(type: Exclude<ColumnType, { readonly kind: 'array' | 'map' | 'struct' }>): PhysicalType {
  switch (type.kind) {
    case 'string':
    case 'binary':
      return 'BYTE_ARRAY'
    case 'boolean':
      return 'BOOLEAN'
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'date':
      return 'INT32'
    case 'bigint':
    case 'timestamp':
      return 'INT64'
    case 'float':
      return 'FLOAT'
    case 'double':
      return 'DOUBLE'
    case 'decimal':
      if (type.precision <= digitsOf32) return 'INT32'
      return type.precision <= digitsOf64 ? 'INT64' : 'FIXED_LEN_BYTE_ARRAY'
  }
}

/** Bytes that hold every number of so many digits, with its sign. */
export function bytesForDigits(precision: number): number {
  const bits = (10n ** BigInt(precision)).toString(2).length + 1
  return Math.ceil(bits / 8)
}
