/** What event source mappings of AWS Lambda send (Lambda's guide, the chapters on Kinesis, DynamoDB, SQS and Kafka), as records with metadata. */
import type { Metadata } from '../../records/metadata.ts'

/** What Lambda is told of an item that failed. */
export type ItemIdentifier = string | { readonly partition: string; readonly offset: number }

/** One item of an event. */
export interface EventItem {
  readonly data: Buffer
  readonly metadata: Metadata
  readonly identifier: ItemIdentifier
  /** Items of the same order, which go on from the first that failed: a shard, a partition, a message group. `undefined` for those that have none. */
  readonly order: string | undefined
  /** Whether Lambda goes on from the first item that failed by itself, so that one is enough to be named. */
  readonly isPosition: boolean
}

/**
 * Reads an event.
 *
 * @throws TypeError for one of another service
 */
export function itemsOf(event: unknown): readonly EventItem[] {
  const { Records: records, records: byPartition, eventSource } = membersOf(event)
  if (Array.isArray(records)) return records.map(itemOf)
  if (byPartition !== undefined && (eventSource === 'aws:kafka' || eventSource === 'SelfManagedKafka')) {
    return Object.values(membersOf(byPartition)).flatMap((each) => (Array.isArray(each) ? each.map(kafkaItem) : []))
  }
  throw new TypeError('the event is none of Kinesis, DynamoDB, SQS or Kafka')
}

function itemOf(record: unknown): EventItem {
  const members = membersOf(record)
  switch (members.eventSource) {
    case 'aws:kinesis':
      return kinesisItem(members)
    case 'aws:dynamodb':
      return dynamoItem(members)
    case 'aws:sqs':
      return sqsItem(members)
    default:
      throw new TypeError(`the event is of ${String(members.eventSource)}, and none of Kinesis, DynamoDB, SQS or Kafka`)
  }
}

function kinesisItem({ eventID, eventSourceARN, kinesis }: Members): EventItem {
  const { data, partitionKey, explicitHashKey, sequenceNumber, approximateArrivalTimestamp: time } = membersOf(kinesis)
  const shardId = textOf(eventID).split(':')[0] ?? ''
  const metadata = {
    recordId: textOf(eventID),
    streamArn: eventSourceARN,
    shardId,
    partitionKey,
    ...(explicitHashKey !== undefined && { explicitHashKey }),
    sequenceNumber,
    ...(typeof time === 'number' && { approximateArrivalTimestamp: Math.round(time * 1000) }),
  }
  const identifier = textOf(sequenceNumber)
  return { data: Buffer.from(textOf(data), 'base64'), metadata, identifier, order: shardId, isPosition: true }
}

/** A change of a table is a record as it stands in the event: what it means depends on `eventName` as much as on the images. */
function dynamoItem(members: Members): EventItem {
  const { eventID, eventName, eventSourceARN, dynamodb } = members
  const { SequenceNumber: sequenceNumber, ApproximateCreationDateTime: time } = membersOf(dynamodb)
  const metadata = {
    recordId: textOf(eventID),
    streamArn: eventSourceARN,
    eventName,
    sequenceNumber,
    ...(typeof time === 'number' && { approximateArrivalTimestamp: Math.round(time * 1000) }),
  }
  const data = Buffer.from(JSON.stringify(members))
  return { data, metadata, identifier: textOf(sequenceNumber), order: textOf(eventSourceARN), isPosition: true }
}

function sqsItem({ messageId, body, attributes, messageAttributes, eventSourceARN }: Members): EventItem {
  const { SentTimestamp: sent, MessageGroupId: group, ...system } = membersOf(attributes)
  const metadata = {
    recordId: textOf(messageId),
    queueArn: eventSourceARN,
    messageId,
    ...(group !== undefined && { messageGroupId: group }),
    ...(sent !== undefined && { approximateArrivalTimestamp: Number(sent) }),
    attributes: system,
    messageAttributes: valuesOf(messageAttributes),
  }
  const order = group === undefined ? undefined : textOf(group)
  return { data: Buffer.from(textOf(body)), metadata, identifier: textOf(messageId), order, isPosition: false }
}

/** The values of message attributes, by their names. */
function valuesOf(messageAttributes: unknown): Metadata {
  const values = Object.entries(membersOf(messageAttributes)).map(([name, attribute]) => {
    const { stringValue, binaryValue } = membersOf(attribute)
    return [name, stringValue ?? (binaryValue === undefined ? undefined : Buffer.from(textOf(binaryValue), 'base64'))]
  })
  return Object.fromEntries(values)
}

function kafkaItem(record: unknown): EventItem {
  const { topic, partition, offset, timestamp, key, value, headers } = membersOf(record)
  const metadata = {
    topic,
    partition,
    offset,
    ...(timestamp !== undefined && { timestamp }),
    ...(typeof key === 'string' && { key: Buffer.from(key, 'base64') }),
    headers: headersOf(headers),
  }
  const order = `${textOf(topic)}-${textOf(partition)}`
  const identifier = { partition: order, offset: Number(offset) }
  // A tombstone has no value.
  return { data: Buffer.from(textOf(value ?? ''), 'base64'), metadata, identifier, order, isPosition: true }
}

/** Lambda gives header fields as a list of objects with one member each, whose values are lists of signed bytes. */
function headersOf(headers: unknown): Metadata {
  const all = Array.isArray(headers) ? headers.flatMap((each) => Object.entries(membersOf(each))) : []
  return Object.fromEntries(all.map(([name, bytes]) => [name, Array.isArray(bytes) ? Buffer.from(bytes) : bytes]))
}

type Members = Readonly<Record<string, unknown>>

function membersOf(value: unknown): Members {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? '' : String(value)
}
