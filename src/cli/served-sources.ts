/** How `hosepipe serve` reads what is the source of a delivery stream and no request brings: streams of Kinesis, and topics of MSK. */
import { join } from 'node:path'
import type { DeliveryStreamOptions } from '../delivery-stream/index.ts'
import { OptionError } from '../errors.ts'
import { described, type Fields, filled, readOptions } from '../options.ts'
import { isObject } from './config.ts'
import { secretOf } from './destinations/secrets.ts'
import { kinesisOptionsOf, type WrittenKinesis, writtenKinesisFields } from './kinesis-options.ts'

/** The table of the member `kinesis` of a config: each delivery stream has a file, or a table, of its own. */
export const servedKinesisFields = {
  ...writtenKinesisFields,
  checkpoints: described(filled, 'A folder: how far each delivery stream has read its source stands there in a file.'),
  leases: described(
    filled,
    'What the tables of leases in DynamoDB begin with; the name of the delivery stream follows.',
  ),
} satisfies Fields<WrittenKinesis>

/** What a config says of sources. */
export interface ServedSources {
  readonly kinesis: WrittenKinesis | undefined
  readonly kafka: object | undefined
}

type SourceOptions = Pick<DeliveryStreamOptions, 'kinesis' | 'kafka'>

/**
 * Makes what `fromDeliveryStream` has to know of sources, where a configuration has one.
 *
 * @throws OptionError where nothing says how far a stream of Kinesis is read: a server that comes back would leave out what came meanwhile.
 */
export async function sourcesOf(
  name: string,
  stream: Readonly<Record<string, unknown>>,
  { kinesis, kafka }: ServedSources,
): Promise<SourceOptions> {
  const options: SourceOptions = { ...(kafka !== undefined && { kafka: Object(secretOf('kafka', kafka)) }) }
  if (!isObject(stream.KinesisStreamSourceConfiguration)) return options
  const { checkpoints, leases, ...others } = kinesis ?? {}
  if ((checkpoints === undefined) === (leases === undefined)) {
    throw new OptionError(
      'serve.kinesis',
      'KinesisStreamSourceConfiguration needs the member kinesis of the config, with either checkpoints, a folder, or leases, what tables of DynamoDB begin with: there is kept how far the stream is read',
    )
  }
  const place = {
    ...(checkpoints !== undefined && { checkpoints: join(checkpoints, `${name}.json`) }),
    ...(leases !== undefined && { leases: `${leases}${name}` }),
  }
  return { ...options, kinesis: await kinesisOptionsOf({ ...others, ...place }) }
}

/** Checks the member `kinesis` of a config. @throws OptionError */
export function checkKinesis(kinesis: WrittenKinesis | undefined): void {
  if (kinesis !== undefined)
    readOptions<WrittenKinesis, typeof servedKinesisFields>('serve.kinesis', kinesis, servedKinesisFields)
}
