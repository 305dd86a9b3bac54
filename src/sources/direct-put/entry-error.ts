import type { Trouble } from '../../receipts/outcomes.ts'
import { slowDown } from './api-error.ts'

/** Why an entry of a request failed. */
export interface EntryError {
  readonly code: string
  readonly message: string
}

/** What an entry says of a record that was not delivered. */
export function entryErrorOf({ how, reason }: Trouble): EntryError {
  if (how === 'abandoned') return { ...slowDown, message: 'The record was not delivered.' }
  if (how === 'pending') return { ...slowDown, message: 'It is not known yet what became of the record.' }
  const where = how === 'backedUp' ? 'The record went to the backup' : 'The record failed'
  const why = reason === undefined ? '.' : `: ${reason.code}: ${reason.message}`
  return { code: 'InternalFailure', message: where + why }
}
