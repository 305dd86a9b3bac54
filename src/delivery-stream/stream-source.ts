import type { Readable } from 'node:stream'
import { readOptions } from '../options.ts'
import { kafkaFields } from '../sources/kafka/options.ts'
import { type Members, refusal } from './members.ts'
import type { DeliveryStreamOptions } from './options.ts'

/** A stream whose records a delivery stream reads by itself. */
export interface StreamSource extends Readable {
  /** Reads no more; resolves when all records have ended, and the source knows. */
  close(): Promise<void>
}

/** Makes a source, once everything else of a configuration is read. */
export type MakeSource = () => Promise<StreamSource>

/** Reads `KinesisStreamSourceConfiguration`. Where reading begins, and what is kept of it, is no matter of AWS's configurations. */
export function readKinesisSource(members: Members, { kinesis: options }: DeliveryStreamOptions): MakeSource {
  const source = members.neededSection('KinesisStreamSourceConfiguration')
  const streamArn = source.neededText('KinesisStreamARN')
  source.pass('RoleARN')
  source.end()
  return async () => {
    const { kinesis } = await import('../sources/kinesis/index.ts')
    return kinesis({ ...options, streamArn })
  }
}

/** Reads `MSKSourceConfiguration`. Where the brokers of a cluster are stands in an option: its ARN does not say it. */
export function readMskSource(members: Members, { kafka: options, name }: DeliveryStreamOptions): MakeSource {
  const source = members.neededSection('MSKSourceConfiguration')
  source.neededText('MSKClusterARN')
  const topics = source.neededText('TopicName')
  const from = source.instant('ReadFromTimestamp')
  source.pass('AuthenticationConfiguration')
  source.end()
  if (options === undefined) {
    throw refusal('MSKSourceConfiguration', "needs the option kafka, as in { kafka: { brokers: 'localhost:9092' } }")
  }
  // The service has a group of its own for each delivery stream.
  const groupId = options.groupId ?? name ?? ''
  const given = { ...(from !== undefined && { from: fromTime(from) }), ...options, groupId, topics }
  readOptions('kafka', given, kafkaFields)
  return async () => {
    const { kafka } = await import('../sources/kafka/index.ts')
    return kafka(given)
  }
}

/** The first moment of all means everything that is kept (guide, "MSK as source"). */
function fromTime(time: number): Date | 'earliest' {
  return time === 0 ? 'earliest' : new Date(time)
}
