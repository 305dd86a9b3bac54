import type { Load } from './statements.ts'

/** Runs the statements of a load in one transaction. */
export interface StatementRunner {
  /**
   * Runs a load, unless it is in the ledger already. Resolves when it is committed.
   *
   * @param signal - Cancels what runs.
   * @throws RedshiftError
   */
  load(load: Load, signal: AbortSignal): Promise<void>
  /** Runs one statement that reads. @throws RedshiftError */
  query(statement: string, signal: AbortSignal): Promise<void>
  /** Ends connections that are the runner's own. */
  close(): Promise<void>
}
