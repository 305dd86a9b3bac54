/**
 * Streams of records as inputs, by their addresses:
 *
 *     kafka://BROKER:PORT[,…]/TOPIC[,…]?group=GROUP&…    kinesis://STREAM?checkpoints=FILE&…
 *
 * What stands behind `?` are options of `kafka()` and `kinesis()`. Secrets stand in the environment: an address is seen by everybody who lists processes.
 */
import type { Duplex, Readable } from 'node:stream'
import type { Counts } from '../index.ts'
import { kinesisOptionsOf, timeOrName, writtenKinesisFields } from './kinesis-options.ts'
import { UsageError } from './usage-error.ts'

/** A stream of records that is open. */
export interface RecordStream extends Readable {
  stats(): Counts
  /** Reads no more; resolves when all records have ended, and the stream knows. */
  close(): Promise<void>
}

/** An input whose records come whole, from a stream that may have no end. */
export interface StreamInput {
  readonly name: string
  readonly size: undefined
  /** Begins to read. @throws UsageError */
  begin(): Promise<{ readonly source: RecordStream; readonly through: readonly Duplex[] }>
}

const streamPattern = /^(kafka|kinesis):\/\//i

/** Whether a path is the address of a stream. */
export function isStreamAddress(path: string): boolean {
  return streamPattern.test(path)
}

/** The input at an address. @throws UsageError where it is none */
export function streamInput(address: string): StreamInput {
  const { scheme, host, path, options } = partsOf(address)
  const name = address.split('?')[0] ?? address
  const begin = scheme === 'kafka' ? kafkaAt(address, host, path, options) : kinesisAt(address, host, path, options)
  return { name, size: undefined, begin }
}

type Options = Readonly<Record<string, string>>

/** A broker list has commas and ports, which a URL has not. */
function partsOf(address: string): { scheme: string; host: string; path: string; options: Options } {
  const [, scheme = '', rest = ''] = /^(\w+):\/\/(.*)$/s.exec(address) ?? []
  const [place = '', query = ''] = split(rest, '?')
  const [host = '', path = ''] = split(place, '/')
  if (/@/.test(place))
    throw wrong(
      address.replace(/\/\/.*@/s, '//'),
      'a name or a password stands in the environment and not in an address',
    )
  const options: Record<string, string> = {}
  for (const [key, value] of new URLSearchParams(query)) {
    if (Object.hasOwn(options, key)) throw wrong(address, `${key} stands in it twice`)
    options[key] = value
  }
  return { scheme: scheme.toLowerCase(), host: decodeURIComponent(host), path: decodeURIComponent(path), options }
}

function split(text: string, by: string): readonly [string, string] {
  const at = text.indexOf(by)
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function wrong(address: string, words: string): UsageError {
  return new UsageError(`${address}: ${words}`)
}

const kafkaNames = [
  'assignment',
  'clientId',
  'commitEvery',
  'from',
  'groupInstanceId',
  'heartbeatInterval',
  'isolation',
  'maxFetchBytes',
  'maxPendingBytes',
  'maxPendingPartitionBytes',
  'rebalanceTimeout',
  'refreshEvery',
  'revokeTimeout',
  'sessionTimeout',
  'tombstones',
]
const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const

function kafkaAt(address: string, host: string, path: string, options: Options): StreamInput['begin'] {
  const { group, alignTo, tls, sasl, from, ...others } = options
  if (host === '' || path === '') throw wrong(address, 'expected kafka://broker:9092/topic?group=name')
  if (group === undefined || group === '') throw wrong(address, 'a consumer group is missing: ?group=name')
  onlyNames(address, others, kafkaNames, ['alignTo', 'group', 'sasl', 'tls'])
  const mechanism = mechanisms.find((one) => one === sasl?.toUpperCase())
  if (sasl !== undefined && mechanism === undefined)
    throw wrong(address, `sasl must be one of ${mechanisms.join(', ')}`)
  if (tls !== undefined && tls !== 'true' && tls !== 'false') throw wrong(address, 'tls must be true or false')
  const { KAFKA_USERNAME: username, KAFKA_PASSWORD: password } = process.env
  if (mechanism !== undefined && (username === undefined || password === undefined)) {
    throw wrong(address, 'sasl needs KAFKA_USERNAME and KAFKA_PASSWORD in the environment')
  }
  const given: object = {
    ...others,
    ...(from !== undefined && { from: timeOrName(from) }),
    ...(alignTo !== undefined && { alignTo: Number(alignTo) }),
    brokers: host.split(','),
    topics: path.split(','),
    groupId: group,
    client: {
      ...(tls === 'true' && { tls: {} }),
      ...(mechanism !== undefined && { sasl: { mechanism, username, password } }),
    },
  }
  return async () => {
    const { kafka } = await import('../sources/kafka/index.ts').catch(missing(address, '@platformatic/kafka'))
    return { source: kafka(Object.assign({ brokers: '', topics: '', groupId: '' }, given)), through: [] }
  }
}

function kinesisAt(address: string, host: string, path: string, options: Options): StreamInput['begin'] {
  const { checkpoints, leases } = options
  if (host === '' || path !== '') throw wrong(address, 'expected kinesis://stream?checkpoints=file or ?leases=table')
  onlyNames(address, options, Object.keys(writtenKinesisFields))
  if ((checkpoints === undefined) === (leases === undefined)) {
    throw wrong(
      address,
      'either ?checkpoints=file, for one process, or ?leases=table, for several, must be given: there is kept how far the stream is read',
    )
  }
  return async () => {
    const { kinesis } = await import('../sources/kinesis/index.ts').catch(missing(address, '@aws-sdk/client-kinesis'))
    const { transform } = await import('../transform/transform.ts')
    const { kpl } = await import('../transform/unpack/kpl.ts')
    const source = kinesis({ streamName: host, ...(await kinesisOptionsOf(options)) })
    // As the service does, which takes apart what the producer library puts together.
    return { source, through: [transform(kpl())] }
  }
}

function onlyNames(address: string, given: Options, names: readonly string[], more: readonly string[] = []): void {
  const other = Object.keys(given).find((name) => !names.includes(name))
  if (other !== undefined)
    throw wrong(address, `there is no option ${other}, only ${[...names, ...more].sort().join(', ')}`)
}

function missing(address: string, name: string) {
  return (error: unknown): never => {
    throw new UsageError(`${address}: it needs a package: npm install ${name}`, { cause: error })
  }
}
