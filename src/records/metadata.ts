/** What is known of records beside their bytes: where they came from, and how. A run has it only where its source has said it. */

/**
 * What a source knows of a record: shard, topic, offset, key, header fields. Names are those of the source. Two mean something here:
 * `recordId` is the record's own id in its source, which `request.recordId()` says then.
 */
export type Metadata = Readonly<Record<string, unknown>>

/** The metadata of the records of a run. */
export interface MetadataColumn {
  /** That of the record at `index`; `undefined` where there is none. */
  at(index: number): Metadata | undefined
}

/**
 * Metadata for the records of a run, one object for each, in their order.
 *
 * @example
 * Records.pack({ receipt, arrivedAt, metadata: metadataOf([{ topic: 'orders', offset: 7n }]) }, ['{"n":1}'])
 */
export function metadataOf(objects: readonly (Metadata | undefined)[]): MetadataColumn {
  return { at: (index) => objects[index] }
}

/** The same object for all records of a run. */
export function sharedMetadata(metadata: Metadata): MetadataColumn {
  return { at: () => metadata }
}

/** That of records that stand elsewhere in another run. @param indexOf - Where the record at an index stands there. */
export function movedMetadata(column: MetadataColumn, indexOf: (index: number) => number): MetadataColumn {
  return { at: (index) => column.at(indexOf(index)) }
}
