import type { Records } from '../../records/records.ts'
import type { Opening, Partition } from '../open-batch.ts'

/** Says what a batch is opened with for the record at an index of those that are added: it may be opened for any of them. */
export type OpeningOf = (at: number) => Pick<Opening, 'index' | 'partitionKeys' | 'timestamp'>

/** Adds the records from `from` up to `to` to the open batch of a key, and to those that are opened when it is full. */
export type AddRecords = (
  partition: Partition,
  records: Records,
  from: number,
  to: number,
  openingOf: OpeningOf,
) => void
