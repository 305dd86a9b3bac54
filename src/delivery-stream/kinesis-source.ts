import type { KinesisSource } from '../sources/kinesis/index.ts'
import type { Members } from './members.ts'
import type { DeliveryStreamOptions } from './options.ts'

/** Makes a source, once everything else of a configuration is read. */
export type MakeSource = () => Promise<KinesisSource>

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
