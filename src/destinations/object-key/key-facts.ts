import type { Batch, BatchFacts } from '../../batch/batch.ts'
import type { Records } from '../../records/records.ts'

/** What a key is made from. */
export type KeyFacts = Pick<Batch, 'partitionKeys' | 'oldestArrival' | 'outputType'> &
  Pick<BatchFacts, 'timestamp'> & {
    readonly key?: string | undefined
    /** The records; `undefined` where a template is tried out. */
    readonly runs?: readonly Records[] | undefined
  }

/** Makes the text of a template for a batch. */
export type Evaluate = (facts: KeyFacts) => string
