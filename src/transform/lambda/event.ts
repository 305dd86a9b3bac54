/** The event that the service invokes a function with (its guide, "Data transformation", and the types of AWS for Node, Go and Java). */
import { randomUUID } from 'node:crypto'
import type { Metadata } from '../../records/metadata.ts'

/** What events say of the stream that their records are of. */
export interface EventFacts {
  readonly deliveryStreamArn: string
  readonly region: string
  /** The ARN of a stream of Kinesis, or of a cluster of MSK. */
  readonly sourceArn: string | undefined
}

/** The records of an event. */
export interface EventRecords {
  readonly length: number
  /** The bytes of a record. */
  at(index: number): Buffer
  /** When it arrived, in milliseconds. */
  arrivedAt(index: number): number
  /** What its source knows of it. */
  metadata(index: number): Metadata | undefined
}

/** An event, and the ids that its records have in it. */
export interface MadeEvent {
  readonly event: Readonly<Record<string, unknown>>
  readonly ids: readonly string[]
}

/** So that no two records of a process have the same id. */
let events = 0
/** As long as the sequence numbers that real ids begin with. */
const idDigits = 54
const placeDigits = 6

/** Makes an event. A record is called by its `recordId`, where its source has one; where that is not the only one of its kind, by one of ours. */
export function eventOf(records: EventRecords, { deliveryStreamArn, region, sourceArn }: EventFacts): MadeEvent {
  events += 1
  const prefix = `49${String(events).padStart(idDigits, '0')}`
  const ids: string[] = []
  const known = new Set<string>()
  const made: object[] = []
  const ofKafka = sourceArn?.includes(':kafka:')
  for (let i = 0; i < records.length; i += 1) {
    const metadata = records.metadata(i)
    const ownId = metadata?.recordId
    const isOwn = typeof ownId === 'string' && !known.has(ownId)
    const recordId = isOwn ? ownId : `${prefix}${String(i).padStart(placeDigits, '0')}`
    if (isOwn) known.add(recordId)
    ids.push(recordId)
    made.push(entryOf(recordId, records, i, metadata, ofKafka))
  }
  const source =
    sourceArn === undefined
      ? {}
      : ofKafka === true
        ? { sourceMSKArn: sourceArn }
        : { sourceKinesisStreamArn: sourceArn }
  return { event: { invocationId: randomUUID(), deliveryStreamArn, ...source, region, records: made }, ids }
}

function entryOf(
  recordId: string,
  records: EventRecords,
  i: number,
  metadata: Metadata | undefined,
  ofKafka: boolean | undefined,
): object {
  const data = records.at(i).toString('base64')
  const arrivedAt = records.arrivedAt(i)
  if (metadata === undefined) {
    if (ofKafka === true) return { recordId, approximateArrivalTimestamp: arrivedAt, kafkaRecordValue: data }
    return { recordId, approximateArrivalTimestamp: arrivedAt, data }
  }
  const approximateArrivalTimestamp = timeOf(metadata) ?? arrivedAt
  if (ofKafka ?? isOfKafka(metadata)) {
    const mskRecordMetadata = {
      offset: textOf(metadata.offset),
      partitionId: textOf(metadata.partition),
      approximateArrivalTimestamp,
    }
    return { recordId, approximateArrivalTimestamp, mskRecordMetadata, kafkaRecordValue: data }
  }
  if (metadata.sequenceNumber === undefined) return { recordId, approximateArrivalTimestamp, data }
  const kinesisRecordMetadata = {
    shardId: textOf(metadata.shardId),
    partitionKey: textOf(metadata.partitionKey),
    approximateArrivalTimestamp,
    sequenceNumber: textOf(metadata.sequenceNumber),
    subsequenceNumber: textOf(metadata.subSequenceNumber ?? 0),
  }
  return { recordId, approximateArrivalTimestamp, data, kinesisRecordMetadata }
}

function isOfKafka({ topic, partition, offset }: Metadata): boolean {
  return topic !== undefined && partition !== undefined && offset !== undefined
}

/** When a source says that a record arrived there. */
function timeOf({ approximateArrivalTimestamp, timestamp }: Metadata): number | undefined {
  const time = approximateArrivalTimestamp ?? timestamp
  if (time instanceof Date) return time.getTime()
  const number = typeof time === 'bigint' || typeof time === 'string' ? Number(time) : time
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

function textOf(value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString()
  return value === undefined || value === null ? '' : String(value)
}
