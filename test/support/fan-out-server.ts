/** What emulators of Kinesis do not have: consumers, and shards that are pushed to them, over HTTP/2 as the service does it. */
import { once } from 'node:events'
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { KinesisClient } from '@aws-sdk/client-kinesis'
import { EventStreamCodec } from '@smithy/core/event-streams'
import type { Test } from 'tap'

/** A shard: its records are `1`, `2`, `3`, …, which are their sequence numbers, too. */
export interface PushedShard {
  count: number
  parent?: string
  isClosed: boolean
}

type Members = Readonly<Record<string, unknown>>

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(),
  (text) => Buffer.from(text),
)

function message(kind: 'event' | 'exception', type: string, body: object): Uint8Array {
  const text = (value: string) => ({ type: 'string' as const, value })
  const headers = {
    ':message-type': text(kind),
    [`:${kind}-type`]: text(type),
    ':content-type': text('application/x-amz-json-1.1'),
  }
  return codec.encode({ headers, body: Buffer.from(JSON.stringify(body)) })
}

/** Starts it. */
export async function fanOutServer(t: Test) {
  const shards = new Map<string, PushedShard>()
  const asked: { readonly operation: string; readonly body: Members }[] = []
  /** What is to go wrong with the next subscriptions: an error instead of an answer, or behind the first event. */
  const faults: ({ readonly error: string } | { readonly exception: string } | 'ends')[] = []
  const sessions = new Set<ServerHttp2Session>()
  const state = { isActive: false, open: 0 }
  const server = createServer()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    void answer(stream, String(headers['x-amz-target']).split('.')[1] ?? '')
  })

  async function answer(stream: ServerHttp2Stream, operation: string): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk)
    const body: Members = JSON.parse(Buffer.concat(chunks).toString() || '{}')
    asked.push({ operation, body })
    const json = (members: object, status = 200): void => {
      stream.respond({ ':status': status, 'content-type': 'application/x-amz-json-1.1' })
      stream.end(JSON.stringify(members))
    }
    if (operation === 'ListShards') {
      const all = [...shards].map(([ShardId, { parent, isClosed }]) => ({
        ShardId,
        ...(parent !== undefined && { ParentShardId: parent }),
        SequenceNumberRange: { StartingSequenceNumber: '0', ...(isClosed && { EndingSequenceNumber: '999' }) },
      }))
      json({ Shards: all })
    } else if (operation === 'DescribeStreamSummary') json({ StreamDescriptionSummary: { StreamARN: 'arn:stream' } })
    else if (operation === 'RegisterStreamConsumer') {
      const isThere = asked.filter((one) => one.operation === operation).length > 1
      json(isThere ? { __type: 'ResourceInUseException' } : { Consumer: {} }, isThere ? 400 : 200)
    } else if (operation === 'DescribeStreamConsumer') {
      json({
        ConsumerDescription: { ConsumerARN: 'arn:consumer', ConsumerStatus: state.isActive ? 'ACTIVE' : 'CREATING' },
      })
      state.isActive = true
    } else await push(stream, body, json)
  }

  async function push(stream: ServerHttp2Stream, body: Members, json: (members: object, status?: number) => void) {
    const fault = faults.shift()
    const shardId = String(body.ShardId)
    let shard = shards.get(shardId)
    if (typeof fault === 'object' && 'error' in fault)
      return json({ __type: fault.error, message: 'as the test says' }, 400)
    if (shard === undefined) return json({ __type: 'ResourceNotFoundException', message: 'no such shard' }, 400)
    const { Type: type, SequenceNumber: sequence }: Members = Object(body.StartingPosition)
    let next = type === 'TRIM_HORIZON' ? 1 : type === 'LATEST' ? shard.count + 1 : Number(sequence ?? 0) + 1
    state.open += 1
    stream.on('close', () => {
      state.open -= 1
    })
    stream.respond({ ':status': 200, 'content-type': 'application/vnd.amazon.eventstream' })
    stream.write(message('event', 'initial-response', {}))
    while (!stream.destroyed) {
      shard = shards.get(shardId) ?? shard
      const last = Math.min(shard.count, next + 9)
      const Records = Array.from({ length: last - next + 1 }, (_, i) => ({
        SequenceNumber: String(next + i),
        PartitionKey: 'k',
        Data: Buffer.from(`${shardId}:${next + i}`).toString('base64'),
      }))
      next = Math.max(next, last + 1)
      const isOver = shard.isClosed && next > shard.count
      const event = { Records, MillisBehindLatest: 0, ...(!isOver && { ContinuationSequenceNumber: String(next - 1) }) }
      stream.write(message('event', 'SubscribeToShardEvent', event))
      if (isOver || fault === 'ends') return void stream.end()
      if (typeof fault === 'object') {
        stream.end(message('exception', fault.exception, { message: 'as the test says' }))
        return
      }
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const client = new KinesisClient({
    endpoint: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  })
  t.teardown(() => {
    client.destroy()
    for (const session of sessions) session.destroy()
    server.close()
  })
  return { client, shards, asked, faults, state }
}
