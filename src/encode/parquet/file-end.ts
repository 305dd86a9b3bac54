/** What stands at the end of a Parquet file: where its columns are, and what is in them (Parquet format, parquet.thrift, "FileMetaData"). */
import type { Column, ColumnType } from './column-type.ts'
import type { Leaf } from './leaf.ts'
import type { ColumnChunk } from './pages.ts'
import { bytesForDigits, physicalType, physicalTypes } from './physical-type.ts'
import type { WrittenGroup } from './row-group.ts'
import { type ThriftStruct, type ThriftValue, thriftBytes } from './thrift.ts'

/** The numbers of the compressions in a file. */
export const codecNumbers = { UNCOMPRESSED: 0, SNAPPY: 1, GZIP: 2, ZSTD: 6 } as const

const repetitions = { required: 0, optional: 1, repeated: 2 } as const
const converted = {
  UTF8: 0,
  MAP: 1,
  LIST: 3,
  DECIMAL: 5,
  DATE: 6,
  TIMESTAMP_MICROS: 10,
  INT_8: 15,
  INT_16: 16,
} as const
const version = 2

/** A group, and where it stands in the file. */
export interface PlacedGroup extends WrittenGroup {
  readonly offset: number
}

/** What a file is made of. */
export interface FileFacts {
  readonly columns: readonly Column[]
  readonly leaves: readonly Leaf[]
  readonly codec: keyof typeof codecNumbers
  readonly groups: readonly PlacedGroup[]
}

/**
 * The indexes of pages, and the metadata behind them, up to the end of the file.
 *
 * @param offset - Where they begin.
 */
export function fileEnd(facts: FileFacts, offset: number): Buffer {
  const indexes = pageIndexes(facts.groups, offset)
  const metadata = thriftBytes([
    [1, { i32: version }],
    [2, { list: schemaOf(facts.columns) }],
    [3, { i64: facts.groups.reduce((sum, { rows }) => sum + rows, 0) }],
    [4, { list: facts.groups.map((group) => groupOf(group, facts, indexes.places)) }],
    [6, { text: 'hosepipe' }],
    // Each column has the order of its type.
    [7, { list: facts.leaves.map(() => ({ struct: [[1, { struct: [] }]] })) }],
  ])
  const length = Buffer.alloc(4)
  length.writeUInt32LE(metadata.length)
  return Buffer.concat([...indexes.parts, metadata, length, Buffer.from('PAR1')])
}

/** Where each chunk's index stands. */
type IndexPlaces = ReadonlyMap<ColumnChunk, { readonly offset: number; readonly length: number }>

/** Of columns with several pages: where each is, so that readers find rows without reading all. */
function pageIndexes(
  groups: readonly PlacedGroup[],
  offset: number,
): { readonly parts: readonly Buffer[]; readonly places: IndexPlaces } {
  const parts: Buffer[] = []
  const places = new Map<ColumnChunk, { readonly offset: number; readonly length: number }>()
  let at = offset
  for (const group of groups) {
    let start = group.offset
    for (const chunk of group.chunks) {
      if (chunk.pages.length > 1) {
        const locations = chunk.pages.map(
          (page): ThriftValue => ({
            struct: [
              [1, { i64: start + page.offset }],
              [2, { i32: page.size }],
              [3, { i64: page.firstRow }],
            ],
          }),
        )
        const index = thriftBytes([[1, { list: locations }]])
        places.set(chunk, { offset: at, length: index.length })
        parts.push(index)
        at += index.length
      }
      start += chunk.size
    }
  }
  return { parts, places }
}

function groupOf(group: PlacedGroup, { leaves, codec }: FileFacts, indexes: IndexPlaces): ThriftValue {
  let offset = group.offset
  const columns = group.chunks.map((chunk, i): ThriftValue => {
    const start = offset
    offset += chunk.size
    const index = indexes.get(chunk)
    const leaf = leaves[i]
    return {
      struct: [
        [2, { i64: 0 }],
        [3, leaf && { struct: chunkOf(chunk, leaf, start, codec) }],
        [4, index && { i64: index.offset }],
        [5, index && { i32: index.length }],
      ],
    }
  })
  const sum = (of: (chunk: ColumnChunk) => number): number => group.chunks.reduce((all, chunk) => all + of(chunk), 0)
  return {
    struct: [
      [1, { list: columns }],
      [2, { i64: sum(({ uncompressedSize }) => uncompressedSize) }],
      [3, { i64: group.rows }],
      [5, { i64: group.offset }],
      [6, { i64: sum(({ size }) => size) }],
    ],
  }
}

function chunkOf(chunk: ColumnChunk, leaf: Leaf, start: number, codec: FileFacts['codec']): ThriftStruct {
  const { min, max } = chunk
  return [
    [1, { i32: physicalTypes[leaf.physical] }],
    [2, { list: chunk.encodings.map((encoding) => ({ i32: encoding })) }],
    [3, { list: leaf.path.map((text) => ({ text })) }],
    [4, { i32: codecNumbers[codec] }],
    [5, { i64: chunk.valueCount }],
    [6, { i64: chunk.uncompressedSize }],
    [7, { i64: chunk.size }],
    [9, { i64: start + chunk.dictionarySize }],
    [11, chunk.dictionarySize === 0 ? undefined : { i64: start }],
    [
      12,
      {
        struct: [
          [3, { i64: chunk.nullCount }],
          [5, max && { binary: max }],
          [6, min && { binary: min }],
        ],
      },
    ],
  ]
}

/** The schema: its columns in depth-first order, below a root. Everything may be null but the keys of maps. */
function schemaOf(columns: readonly Column[]): ThriftValue[] {
  return [
    {
      struct: [
        [4, { text: 'root' }],
        [5, { i32: columns.length }],
      ],
    },
    ...columns.flatMap(({ name, type }) => elementsOf(name, type)),
  ]
}

/** Parquet format, LogicalTypes.md: lists and maps have three levels, with these names. */
function elementsOf(name: string, type: ColumnType, repetition: keyof typeof repetitions = 'optional'): ThriftValue[] {
  const element = (given: { readonly children?: number; readonly more?: ThriftStruct }): ThriftValue => ({
    struct: [
      [3, { i32: repetitions[repetition] }],
      [4, { text: name }],
      [5, given.children === undefined ? undefined : { i32: given.children }],
      ...(given.more ?? []),
    ],
  })
  const repeated = (of: string, children: number): ThriftValue => ({
    struct: [
      [3, { i32: repetitions.repeated }],
      [4, { text: of }],
      [5, { i32: children }],
    ],
  })
  switch (type.kind) {
    case 'array':
      return [
        element({
          children: 1,
          more: [
            [6, { i32: converted.LIST }],
            [10, logical(3)],
          ],
        }),
        repeated('list', 1),
        ...elementsOf('element', type.element),
      ]
    case 'map':
      return [
        element({
          children: 1,
          more: [
            [6, { i32: converted.MAP }],
            [10, logical(2)],
          ],
        }),
        repeated('key_value', 2),
        ...elementsOf('key', type.key, 'required'),
        ...elementsOf('value', type.value),
      ]
    case 'struct':
      return [
        element({ children: type.members.length }),
        ...type.members.flatMap((member) => elementsOf(member.name, member.type)),
      ]
    default: {
      const physical = physicalType(type)
      const width =
        type.kind === 'decimal' && physical === 'FIXED_LEN_BYTE_ARRAY' ? bytesForDigits(type.precision) : undefined
      const { struct } = { struct: logicalOf(type) }
      return [
        {
          struct: [
            [1, { i32: physicalTypes[physical] }],
            [2, width === undefined ? undefined : { i32: width }],
            [3, { i32: repetitions[repetition] }],
            [4, { text: name }],
            ...struct,
          ],
        },
      ]
    }
  }
}

/** What a plain type means beyond how it stands in the file. */
function logicalOf(type: ColumnType): ThriftStruct {
  switch (type.kind) {
    case 'string':
      return [
        [6, { i32: converted.UTF8 }],
        [10, logical(1)],
      ]
    case 'tinyint':
      return [[6, { i32: converted.INT_8 }]]
    case 'smallint':
      return [[6, { i32: converted.INT_16 }]]
    case 'date':
      return [
        [6, { i32: converted.DATE }],
        [10, logical(6)],
      ]
    case 'timestamp':
      return [
        [6, { i32: converted.TIMESTAMP_MICROS }],
        // In UTC, in microseconds.
        [
          10,
          logical(8, [
            [1, { bool: true }],
            [2, { struct: [[2, { struct: [] }]] }],
          ]),
        ],
      ]
    case 'decimal': {
      const { precision, scale } = type
      return [
        [6, { i32: converted.DECIMAL }],
        [7, { i32: scale }],
        [8, { i32: precision }],
        [
          10,
          logical(5, [
            [1, { i32: scale }],
            [2, { i32: precision }],
          ]),
        ],
      ]
    }
    default:
      return []
  }
}

function logical(kind: number, members: ThriftStruct = []): ThriftValue {
  return { struct: [[kind, { struct: members }]] }
}
