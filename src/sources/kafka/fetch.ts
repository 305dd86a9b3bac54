/** The request for records and its answer: of an answer only what is around the records is read here; these stay bytes. */
import {
  fetchV13,
  fetchV14,
  fetchV15,
  fetchV16,
  fetchV17,
  protocolErrorsCodesById,
  type Reader,
} from '@platformatic/kafka'
import { HosepipeError } from '../../errors.ts'

/** Partitions of a topic, and from which offset on. */
export type FetchTopic = Parameters<typeof fetchV17.createRequest>[6][number]

/** A transaction that was aborted: records of a producer from an offset on, up to its marker. */
export interface Aborted {
  readonly producerId: bigint
  readonly firstOffset: bigint
}

/** What a broker answers for a partition. */
export interface FetchedPartition {
  readonly topicId: string
  readonly partition: number
  /** Kafka's name of what went wrong; `undefined` where nothing did. */
  readonly error: string | undefined
  /** The offset behind the last record that may be read. */
  readonly end: bigint
  readonly aborted: readonly Aborted[]
  /** Record batches, the last of which may be cut. */
  readonly bytes: Buffer
}

const versions = [
  { version: 17, createRequest: fetchV17.createRequest },
  { version: 16, createRequest: fetchV16.createRequest },
  { version: 15, createRequest: fetchV15.createRequest },
  { version: 14, createRequest: fetchV14.createRequest },
  { version: 13, createRequest: fetchV13.createRequest },
]

/** The highest version of the request that a broker knows. Earlier ones than 13 name topics without their ids, so that one that was made anew could not be told from the former. */
export function fetchVersions({ minVersion, maxVersion }: { minVersion: number; maxVersion: number }) {
  const found = versions.find(({ version }) => version >= minVersion && version <= maxVersion)
  if (found !== undefined) return found
  throw new HosepipeError(
    'Source.Failed',
    `kafka: the brokers fetch with versions ${minVersion} to ${maxVersion}, but 13 is needed, which Kafka has since 3.1`,
  )
}

const noBytes = Buffer.alloc(0)

/** Reads an answer, of versions 13 to 17, which are alike. @throws HosepipeError `Source.Failed` where the whole request failed */
export function readFetchResponse(reader: Reader): readonly FetchedPartition[] {
  // The time for which the broker holds the client back is over when the answer comes.
  reader.readInt32()
  const failed = errorName(reader.readInt16())
  reader.readInt32()
  const topics = reader.readArray((topic) => {
    const topicId = topic.readUUID()
    return topic.readArray((one) => readPartition(one, topicId))
  })
  if (failed !== undefined)
    throw new HosepipeError('Source.Failed', `kafka: a broker refuses to give records: ${failed}`)
  return topics.flat()
}

function readPartition(reader: Reader, topicId: string): FetchedPartition {
  const partition = reader.readInt32()
  const error = errorName(reader.readInt16())
  const highWatermark = reader.readInt64()
  const stable = reader.readInt64()
  reader.readInt64()
  const aborted = reader.readArray((one) => ({ producerId: one.readInt64(), firstOffset: one.readInt64() }))
  reader.readInt32()
  const length = reader.readUnsignedVarInt() - 1
  const bytes = length > 0 ? reader.buffer.subarray(reader.position, reader.position + length).buffer : noBytes
  if (length > 0) reader.skip(length)
  return { topicId, partition, error, end: stable >= 0n ? stable : highWatermark, aborted, bytes }
}

function errorName(code: number): string | undefined {
  if (code === 0) return undefined
  const names: Readonly<Record<number, string>> = protocolErrorsCodesById
  return names[code] ?? `error ${code}`
}
