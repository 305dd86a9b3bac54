/** How a stream of Kinesis is read, as addresses and configs say it. */
import { described, type Fields, filled } from '../options.ts'
import type { KinesisOptions } from '../sources/kinesis/index.ts'
import { kinesisFields } from '../sources/kinesis/options.ts'

/** What can be written down of {@link KinesisOptions}. */
export interface WrittenKinesis
  extends Pick<KinesisOptions, 'commitEvery' | 'listEvery' | 'maxPendingBytes' | 'pollInterval'> {
  readonly checkpoints?: string | undefined
  readonly leases?: string | undefined
  readonly consumer?: string | undefined
  readonly from?: string | undefined
  readonly region?: string | undefined
  readonly endpoint?: string | undefined
}

/** The table of {@link WrittenKinesis}. */
export const writtenKinesisFields = {
  checkpoints: described(filled, 'Where checkpoints are kept, for one process.'),
  leases: described(filled, 'The table of DynamoDB by which processes share the shards.'),
  consumer: described(filled, 'The name of a consumer with enhanced fan-out.'),
  from: described(filled, 'latest, trimHorizon, or a time. Default latest.'),
  region: described(filled, 'The region of the stream. Default: that of the environment.'),
  endpoint: described(filled, 'Another address of Kinesis. Default: that of the environment.'),
  commitEvery: kinesisFields.commitEvery,
  listEvery: kinesisFields.listEvery,
  maxPendingBytes: kinesisFields.maxPendingBytes,
  pollInterval: kinesisFields.pollInterval,
} satisfies Fields<WrittenKinesis>

/** Makes options of `kinesis()` of what is written. */
export async function kinesisOptionsOf(
  written: WrittenKinesis,
): Promise<Omit<KinesisOptions, 'streamName' | 'streamArn'>> {
  const { checkpoints, consumer, leases, from, region, endpoint, ...others } = written
  const { dynamoDbLeases, fileCheckpoints } = await import('../sources/kinesis/index.ts')
  const { ownClient } = await import('../sources/kinesis/own-client.ts')
  const place = { ...(region !== undefined && { region }), ...(endpoint !== undefined && { endpoint }) }
  // What `from` may be besides a time, the table of the options says.
  const given: object = {
    ...others,
    ...(Object.keys(place).length > 0 && { client: ownClient(place) }),
    ...(checkpoints !== undefined && { checkpoints: fileCheckpoints(checkpoints) }),
    ...(consumer !== undefined && { fanOut: { consumerName: consumer } }),
    ...(leases !== undefined && { leases: dynamoDbLeases({ tableName: leases }) }),
    ...(from !== undefined && { from: timeOrName(from) }),
  }
  return { ...given }
}

/** A time where it begins with a digit, and a name otherwise. */
export function timeOrName(from: string): Date | string {
  return /^\d/.test(from) ? new Date(from) : from
}
