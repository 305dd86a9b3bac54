import type { Account } from '../../receipts/receipts.ts'
import { isMembers, type Members } from './constraints.ts'
import { describedDestination } from './descriptions.ts'
import type { PutTarget } from './put-target.ts'

/** The one destination that a stream has. */
export const destinationId = 'destinationId-000000000001'

/** Tags by their keys; a tag may have no value. */
export type Tags = Map<string, string | undefined>

/** A delivery stream: where its records go, and what is known of it. */
export interface DeliveryStream {
  readonly name: string
  readonly arn: string
  readonly type: string
  readonly createdAt: number
  readonly tags: Tags
  /** What it was created with; `undefined` for one that was given. */
  config: Members | undefined
  target: PutTarget
  /** Those of all targets that it has had. */
  readonly accounts: Account[]
  status: 'ACTIVE' | 'DELETING'
  version: number
  updatedAt: number | undefined
  encryption: Members
}

/** What DescribeDeliveryStream says. */
export function description(stream: DeliveryStream): object {
  const { name, arn, type, status, version, createdAt, updatedAt, encryption, config } = stream
  const destination = config === undefined ? {} : describedDestination(config)
  return {
    DeliveryStreamDescription: {
      DeliveryStreamName: name,
      DeliveryStreamARN: arn,
      DeliveryStreamStatus: status,
      DeliveryStreamEncryptionConfiguration: encryption,
      DeliveryStreamType: type,
      VersionId: String(version),
      CreateTimestamp: createdAt / 1000,
      ...(updatedAt !== undefined && { LastUpdateTimestamp: updatedAt / 1000 }),
      ...sourceOf(config, createdAt),
      Destinations: [{ DestinationId: destinationId, ...destination }],
      HasMoreDestinations: false,
    },
  }
}

/** Where the records of a stream come from that takes none by the API. */
function sourceOf(config: Members | undefined, createdAt: number): object {
  const DeliveryStartTimestamp = createdAt / 1000
  const { KinesisStreamSourceConfiguration: kinesis, MSKSourceConfiguration: msk } = config ?? {}
  if (isMembers(kinesis)) return { Source: { KinesisStreamSourceDescription: { ...kinesis, DeliveryStartTimestamp } } }
  if (isMembers(msk)) return { Source: { MSKSourceDescription: { ...msk, DeliveryStartTimestamp } } }
  return {}
}
