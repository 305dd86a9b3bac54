import type { Destination } from '../../deliver/destination.ts'

/** A destination, and what it changes around itself. */
export interface Opened {
  readonly destination: Destination
  /** Whether it is the user's own, which may keep what it is sent. */
  readonly isForeign?: boolean | undefined
  /** How records are gathered for it, where the user does not say. */
  readonly batch?: { readonly maxAge: number } | undefined
  /** Whether it may be slow for good reasons, as standard output that a person pages through. Then no attempt times out. */
  readonly isPatient?: boolean | undefined
  /** Whether its objects go to standard output. */
  readonly isStdout?: boolean | undefined
}
