/** What members of a consumer group tell each other through the coordinator: Kafka's ConsumerProtocolSubscription and ConsumerProtocolAssignment, by which members in any language share a group. */
import { Reader, Writer } from '@platformatic/kafka'

/** Partitions by their topics. */
export type TopicPartitions = ReadonlyMap<string, readonly number[]>

/** What a member says of itself when it joins. */
export interface Subscription {
  readonly topics: readonly string[]
  /** What it has, and goes on reading while the group is balanced anew. */
  readonly owned: TopicPartitions
  /** The generation in which it got that; `-1` where it says none. */
  readonly generation: number
}

/** Version 2 has the generation; a later one adds only what we do not use, and is read by those that know it. */
const subscriptionVersion = 2
const assignmentVersion = 1

/** Writes what a member says of itself. */
export function encodeSubscription({ topics, owned, generation }: Subscription): Buffer {
  const writer = Writer.create().appendInt16(subscriptionVersion)
  writer.appendArray([...topics], (w, topic) => w.appendString(topic, false), false, false)
  writer.appendBytes(null, false)
  appendPartitions(writer, owned)
  return writer.appendInt32(generation).buffer
}

/** Reads what a member says of itself, in the version in which it says it. */
export function decodeSubscription(bytes: Buffer): Subscription {
  const reader = Reader.from(bytes)
  const version = reader.readInt16()
  const topics = reader.readArray((r) => r.readString(false), false, false)
  reader.readNullableBytes(false)
  const owned = version >= 1 ? readPartitions(reader) : new Map()
  const generation = version >= 2 ? reader.readInt32() : -1
  return { topics, owned, generation }
}

/** Writes what a member gets. */
export function encodeAssignment(partitions: TopicPartitions): Buffer {
  const writer = Writer.create().appendInt16(assignmentVersion)
  appendPartitions(writer, partitions)
  return writer.appendBytes(null, false).buffer
}

/** Reads what a member gets: no bytes are no partitions. */
export function decodeAssignment(bytes: Buffer): TopicPartitions {
  if (bytes.length === 0) return new Map()
  const reader = Reader.from(bytes)
  reader.readInt16()
  return readPartitions(reader)
}

function appendPartitions(writer: Writer, partitions: TopicPartitions): void {
  const append = (w: Writer, [topic, numbers]: [string, readonly number[]]): void => {
    w.appendString(topic, false).appendArray([...numbers], (each, number) => each.appendInt32(number), false, false)
  }
  writer.appendArray([...partitions], append, false, false)
}

function readPartitions(reader: Reader): TopicPartitions {
  const read = (r: Reader): [string, number[]] => [
    r.readString(false),
    r.readArray((each) => each.readInt32(), false, false),
  ]
  return new Map(reader.readArray(read, false, false))
}
