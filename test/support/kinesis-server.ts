/** Kinesis in the process: kinesalite behind a door that can fail on demand. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import {
  CreateStreamCommand,
  DescribeStreamCommand,
  KinesisClient,
  MergeShardsCommand,
  PutRecordsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import kinesalite from 'kinesalite'
import type { Test } from 'tap'

/** Says what becomes of a request: an error's name and status, `'cut'`, or nothing. */
export type Fault = (
  operation: string,
  body: Readonly<Record<string, unknown>>,
) => { name: string; status: number } | 'cut' | undefined

/** Starts it. What it was asked is in `asked`. */
export async function kinesisServer(t: Test) {
  const kinesis = kinesalite({ createStreamMs: 0, deleteStreamMs: 0, updateStreamMs: 0, shardLimit: 100 })
  kinesis.listen(0, '127.0.0.1')
  await once(kinesis, 'listening')
  const asked: { operation: string; body: Readonly<Record<string, unknown>> }[] = []
  const door = { fault: undefined as Fault | undefined }
  const server = createServer((incoming, outgoing) => void passOn(incoming, outgoing))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  async function passOn(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const bytes = Buffer.concat(chunks)
    const operation = String(incoming.headers['x-amz-target']).split('.')[1] ?? ''
    const body = JSON.parse(bytes.toString() || '{}')
    asked.push({ operation, body })
    const fault = door.fault?.(operation, body)
    if (fault === 'cut') return void incoming.socket.destroy()
    if (fault !== undefined) {
      outgoing.writeHead(fault.status, { 'content-type': 'application/x-amz-json-1.1' })
      outgoing.end(JSON.stringify({ __type: fault.name, message: 'as the test says' }))
      return
    }
    const { method, url, headers } = incoming
    // kinesalite knows streams by their names alone.
    const { StreamARN: arn, ...members } = body
    const named = typeof arn === 'string' ? { ...members, StreamName: arn.split('/')[1] } : members
    const given = Buffer.from(JSON.stringify(named))
    const sent = { ...headers, 'content-length': String(given.length) }
    const onward = request({ port: portOf(kinesis), host: '127.0.0.1', method, path: url, headers: sent }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    onward.end(given)
  }

  const clientOf = (port: number): KinesisClient =>
    new KinesisClient({
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler(),
    })
  const client = clientOf(portOf(server))
  const admin = clientOf(portOf(kinesis))
  t.teardown(() => {
    client.destroy()
    admin.destroy()
    server.closeAllConnections()
    server.close()
    kinesis.closeAllConnections()
    kinesis.close()
  })

  const shards = async (name: string) => {
    const { StreamDescription } = await admin.send(new DescribeStreamCommand({ StreamName: name }))
    return StreamDescription?.Shards ?? []
  }
  return {
    client,
    /** Where a client of another process finds it. */
    endpoint: `http://127.0.0.1:${portOf(server)}`,
    asked,
    door,
    shards,
    create: async (name: string, count: number) => {
      await admin.send(new CreateStreamCommand({ StreamName: name, ShardCount: count }))
      while ((await shards(name)).length < count) await new Promise(setImmediate)
    },
    /** Puts texts under keys; in the order given. */
    put: async (name: string, records: readonly (readonly [key: string, text: string | Buffer])[]) => {
      for (let at = 0; at < records.length; at += 500) {
        const Records = records
          .slice(at, at + 500)
          .map(([PartitionKey, text]) => ({ PartitionKey, Data: Buffer.from(text) }))
        const { FailedRecordCount } = await admin.send(new PutRecordsCommand({ StreamName: name, Records }))
        if (FailedRecordCount !== 0) throw new Error(`${FailedRecordCount} records were not put`)
      }
    },
    split: async (name: string, shard: string) => {
      const found = (await shards(name)).find(({ ShardId }) => ShardId === shard)
      const { StartingHashKey = '0', EndingHashKey = '0' } = found?.HashKeyRange ?? {}
      const NewStartingHashKey = String((BigInt(StartingHashKey) + BigInt(EndingHashKey)) / 2n + 1n)
      await admin.send(new SplitShardCommand({ StreamName: name, ShardToSplit: shard, NewStartingHashKey }))
      while (!(await shards(name)).some(({ ParentShardId }) => ParentShardId === shard)) await new Promise(setImmediate)
    },
    merge: async (name: string, shard: string, other: string) => {
      await admin.send(new MergeShardsCommand({ StreamName: name, ShardToMerge: shard, AdjacentShardToMerge: other }))
      while (!(await shards(name)).some(({ ParentShardId }) => ParentShardId === shard)) await new Promise(setImmediate)
    },
  }
}

function portOf(server: { address(): unknown }): number {
  const address = server.address()
  return typeof address === 'object' && address !== null && 'port' in address ? Number(address.port) : 0
}
