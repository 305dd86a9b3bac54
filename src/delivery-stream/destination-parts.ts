/** What the configurations of several destinations have in common. */
import { type BatchOptions, batch } from '../batch/batch-stage.ts'
import { deliver } from '../deliver/deliver.ts'
import { concatenated } from '../encode/concatenated.ts'
import { separated } from '../encode/separated.ts'
import type { FirehoseOptions } from '../firehose.ts'
import { readBucket } from './bucket.ts'
import { type Buffering, bufferingOf } from './buffering.ts'
import { type Members, refusal } from './members.ts'
import type { DeliveryStreamOptions } from './options.ts'
import type { Processing } from './processors.ts'

/** What a configuration becomes, once everything in it is read. */
export type MakeHose = () => Promise<FirehoseOptions>

/** S3 has no other place to go to: the service tries as long as it keeps the records. */
export const asLongAsKept = { retryFor: 24 * 3_600_000 }

/** A copy of every record as it came, where `S3BackupMode` says so. */
export function readSourceBackup(members: Members, options: DeliveryStreamOptions) {
  const mode = members.word('S3BackupMode', ['Disabled', 'Enabled'], 'Disabled')
  const section = members.section('S3BackupConfiguration')
  if (mode === 'Disabled') return undefined
  if (section === undefined) throw refusal(members.at('S3BackupConfiguration'), 'is missing')
  const { buffering, open } = readBucket(section, bufferingOf.backup, options)
  return async () => [batch(buffering), deliver(await open(concatenated()), { retry: asLongAsKept })] as const
}

export function refuseSecrets(members: Members): void {
  const secrets = members.section('SecretsManagerConfiguration')
  if (secrets?.flag('Enabled') !== true) return
  throw refusal(secrets.path, 'cannot be honoured: secrets stand in the configuration itself here')
}

export function gathered(
  { transform }: Processing,
  batching: Buffering & BatchOptions,
): Pick<FirehoseOptions, 'transform' | 'batch' | 'failFast'> {
  // The service does not stop for a destination that refuses everything.
  return { ...(transform.length > 0 && { transform }), batch: { ...batching }, failFast: false }
}

/** Records stand one behind another in an object, with nothing between them unless something is put there. */
export function formatOf({ delimiter }: Processing) {
  return delimiter === undefined ? concatenated() : separated(delimiter)
}
