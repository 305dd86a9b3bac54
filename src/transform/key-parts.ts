import type { Records } from '../records/records.ts'

/** A part of a key: reads it from a record. */
export interface KeyPartReader {
  /** The value; `undefined` where there is none. @throws Error where it cannot be read */
  read(records: Records, index: number): unknown
}

/** What tells several parts of a key, each with its name: a query. */
export interface KeyParts {
  /** @internal */
  readonly keyParts: Readonly<Record<string, KeyPartReader>>
}

/** Whether something tells parts of a key by names of its own. */
export function hasKeyParts(given: unknown): given is KeyParts {
  return typeof given === 'object' && given !== null && 'keyParts' in given
}
