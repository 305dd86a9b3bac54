/** The options that a config file may have: those of `firehose()` that can be written down. */
import { deliverFields } from '../deliver/deliver-options.ts'
import { expecting, type Fields } from '../options.ts'

/** What may stand in these is said where they are read. */
const anything = expecting('an option', () => true)

/** The table of a config. */
export const configFields = {
  source: anything,
  split: anything,
  transform: anything,
  batch: anything,
  to: anything,
  backup: anything,
  sourceBackup: anything,
  name: deliverFields.name,
  encode: anything,
  compress: anything,
  concurrency: deliverFields.concurrency,
  maxInFlightBytes: deliverFields.maxInFlightBytes,
  retry: anything,
  timeout: deliverFields.timeout,
  backupMode: deliverFields.backupMode,
  failFast: deliverFields.failFast,
  backupBatch: anything,
} satisfies Fields<Record<string, unknown>>

/** The options of `deliver` that a config has as they are. */
export const plainDeliverOptions = [
  'name',
  'concurrency',
  'maxInFlightBytes',
  'timeout',
  'backupMode',
  'failFast',
] as const
