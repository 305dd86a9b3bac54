import { type Firehose, type FirehoseOptions, firehose } from '../firehose.ts'
import {
  described,
  expecting,
  type Fields,
  filled,
  hasMethod,
  matching,
  object,
  readOptions,
  whole,
} from '../options.ts'
import { destinations } from './destinations.ts'
import { Members, refusal } from './members.ts'
import type { DeliveryStreamOptions } from './options.ts'
import { SourcedFirehose } from './sourced-firehose.ts'
import { type MakeSource, readKinesisSource, readMskSource } from './stream-source.ts'

const fields = {
  name: matching('1–64 of the characters a-z A-Z 0-9 _ . -', /^[a-zA-Z0-9_.-]{1,64}$/),
  version: whole('changes'),
  arn: filled,
  dir: described(filled, 'A folder, whose folders are the buckets.'),
  client: object,
  endpoints: object,
  searchAuth: object,
  http: object,
  functions: object,
  kinesis: object,
  kafka: object,
  lambda: expecting('a LambdaClient, or true', (value) => value === true || hasMethod(value, 'send')),
  schemas: object,
} satisfies Fields<DeliveryStreamOptions>

/**
 * Makes a `firehose()` of the configuration of a delivery stream of Amazon Data Firehose, as `CreateDeliveryStream` takes it (API reference of the service). What cannot be honoured is refused with the
 * member's path; what means nothing here (roles, networks, logs of the service) is passed over. The page of `hosepipe/delivery-stream` has a table of all members.
 *
 * @param config - The members of `CreateDeliveryStream`, as JSON has them.
 * @throws OptionError that names the member; the promise is rejected with it.
 * @example
 * const config = JSON.parse(await readFile('stream.json', 'utf8'))
 * await pipeline(records, await fromDeliveryStream(config, { dir: './buckets' }))
 */
export async function fromDeliveryStream(
  config: Readonly<Record<string, unknown>>,
  options: DeliveryStreamOptions = {},
): Promise<Firehose> {
  const { hose, source } = await read(config, options)
  if (source === undefined) return firehose(hose)
  // What is wrong with the way is told before anything is read.
  const way = firehose(hose)
  return new SourcedFirehose(await source(), way)
}

/** The options of `firehose()` that {@link fromDeliveryStream} makes, to be changed before. What is read from a source is not among them. @throws OptionError; the promise is rejected with it */
export async function deliveryStreamOptions(
  config: Readonly<Record<string, unknown>>,
  options: DeliveryStreamOptions = {},
): Promise<FirehoseOptions> {
  return (await read(config, options)).hose
}

function sourceOf(type: string, members: Members, options: DeliveryStreamOptions): MakeSource | undefined {
  if (type === 'KinesisStreamAsSource') return readKinesisSource(members, options)
  return type === 'MSKAsSource' ? readMskSource(members, options) : undefined
}

async function read(
  config: Readonly<Record<string, unknown>>,
  options: DeliveryStreamOptions,
): Promise<{ readonly hose: FirehoseOptions; readonly source: MakeSource | undefined }> {
  readOptions('fromDeliveryStream', options, fields)
  const members = new Members('', config)
  const name = options.name ?? members.text('DeliveryStreamName')
  members.pass('DeliveryStreamName', 'Tags', 'DirectPutSourceConfiguration')
  // Nothing is stored here before it is delivered.
  members.pass('DeliveryStreamEncryptionConfigurationInput')
  const type = members.word(
    'DeliveryStreamType',
    ['DirectPut', 'KinesisStreamAsSource', 'MSKAsSource', 'DatabaseAsSource'],
    'DirectPut',
  )
  if (type === 'DatabaseAsSource') {
    throw refusal('DeliveryStreamType', `cannot be honoured: there is no source for ${type} here yet`)
  }
  const source = sourceOf(type, members, { ...options, name })
  const found = Object.keys(destinations).filter((one) => members.has(one))
  const [only] = found
  for (const other of ['Snowflake', 'Iceberg']) {
    members.refuse(`${other}DestinationConfiguration`, `there is no destination for ${other} here yet`)
  }
  if (only === undefined || found.length > 1) {
    throw refusal(
      'the configuration',
      `must have one of ${Object.keys(destinations).join(', ')}, but has ${found.length}`,
    )
  }
  const make = destinations[only]?.(members.neededSection(only), { ...options, name })
  members.end()
  if (make === undefined) throw refusal(only, 'is not known here')
  return { hose: { name, ...(await make()) }, source }
}
