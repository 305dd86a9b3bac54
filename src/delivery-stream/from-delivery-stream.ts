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
  return firehose(await deliveryStreamOptions(config, options))
}

/** The options of `firehose()` that {@link fromDeliveryStream} makes, to be changed before. @throws OptionError; the promise is rejected with it */
export async function deliveryStreamOptions(
  config: Readonly<Record<string, unknown>>,
  options: DeliveryStreamOptions = {},
): Promise<FirehoseOptions> {
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
  if (type !== 'DirectPut')
    throw refusal('DeliveryStreamType', `cannot be honoured: there is no source for ${type} here yet`)
  const found = Object.keys(destinations).filter((one) => members.has(one))
  const [only] = found
  for (const other of ['Redshift', 'Snowflake', 'Iceberg']) {
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
  return { name, ...(await make()) }
}
