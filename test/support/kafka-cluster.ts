/** Topics on a broker of Kafka, and a producer; for the tests that `npm run test:services` runs. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { Admin, type CompressionAlgorithmValue, Producer, stringSerializers } from '@platformatic/kafka'
import type { Test } from 'tap'
import type { KafkaOptions } from '../../src/sources/kafka/index.ts'

let made = 0

/** A record to be put: where nothing is said, the producer chooses the partition by the key. */
export interface Put {
  readonly key?: string
  readonly value: string | null
  readonly partition?: number
  readonly headers?: Record<string, string>
}

/** Opens connections for a test, which end with it. */
export function kafkaCluster(t: Test, broker: string) {
  const options = { clientId: 'test', bootstrapBrokers: [broker], retries: 10, retryDelay: 200, metadataMaxAge: 500 }
  const admin = new Admin(options)
  const producer = new Producer({ ...options, serializers: stringSerializers })
  t.teardown(() => Promise.all([admin.close(), producer.close()]))
  const create = async (topic: string, partitions: number): Promise<void> => {
    await admin.createTopics({ topics: [topic], partitions, replicas: 1 })
    // Until all partitions are there: a producer repeats all of a request of which a part was refused.
    const asked = Array.from({ length: partitions }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1n }))
    await admin.listOffsets({ topics: [{ name: topic, partitions: asked }] })
  }
  return {
    admin,
    /** The name of a topic that was made, with so many partitions. */
    topic: async (partitions: number): Promise<string> => {
      made += 1
      const topic = `topic.${process.pid}-${made}`
      await create(topic, partitions)
      return topic
    },
    create,
    put: async (
      topic: string,
      records: readonly Put[],
      compression: CompressionAlgorithmValue = 'none',
    ): Promise<void> => {
      const byPartition = new Map<number | undefined, Put[]>()
      for (const one of records) {
        const some = byPartition.get(one.partition) ?? []
        byPartition.set(one.partition, some)
        some.push(one)
      }
      const parts = [...byPartition.values()].flatMap((some) => {
        return Array.from({ length: Math.ceil(some.length / 1_000) }, (_, i) => some.slice(i * 1_000, (i + 1) * 1_000))
      })
      for (const part of parts) {
        const messages = part.map(({ value, ...rest }) => {
          return { topic, ...rest, ...(value !== null && { value }) }
        })
        await producer.send({ messages, compression, acks: 1 })
      }
    },
    /** Options of a member, with short times. */
    member: (topic: string, more: Partial<KafkaOptions> = {}): KafkaOptions => ({
      brokers: broker,
      topics: topic,
      groupId: `group-${topic}`,
      from: 'earliest',
      commitEvery: 100,
      sessionTimeout: 6_000,
      heartbeatInterval: 200,
      rebalanceTimeout: 20_000,
      revokeTimeout: 10_000,
      refreshEvery: 500,
      ...more,
    }),
  }
}

/** A client of Kafka's makers: see `test/services/kafka/KafkaPeer.java`. */
export function kafkaPeer(classes: string, ...given: readonly string[]) {
  const java = spawn('java', [
    '-XX:TieredStopAtLevel=1',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
    '-cp',
    classes,
    'KafkaPeer',
    ...given,
  ])
  const lines: string[] = []
  let [rest, words] = ['', '']
  java.stdout.setEncoding('utf8').on('data', (text: string) => {
    const split = `${rest}${text}`.split('\n')
    rest = split.pop() ?? ''
    lines.push(...split)
  })
  java.stderr.setEncoding('utf8').on('data', (text: string) => {
    words += text
  })
  const ended = once(java, 'close').then(([code]) => {
    if (code !== 0) throw new Error(`KafkaPeer ${given.join(' ')} has ended with ${code}: ${words}`)
  })
  return {
    /** What it has said. */
    lines,
    ended,
    /** Has a consumer commit and leave. */
    stop: async (): Promise<void> => {
      java.stdin.end('stop')
      await ended
    },
  }
}

/** A door at an address that can be shut, before what is behind it. */
export async function door(t: Test, address: string, behind: string) {
  const [[host = '', port = ''], [, doorPort = '']] = [behind.split(':'), address.split(':')]
  const sockets = new Set<Socket>()
  const state = { isShut: false }
  const server = createServer((incoming) => {
    if (state.isShut) return void incoming.destroy()
    const outgoing = connect(Number(port), host)
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        incoming.destroy()
        outgoing.destroy()
      })
    }
    incoming.pipe(outgoing).pipe(incoming)
  })
  server.listen(Number(doorPort), '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  t.teardown(() => {
    cut()
    server.close()
  })
  return {
    cut,
    shut: (): void => {
      state.isShut = true
      cut()
    },
    open: (): void => {
      state.isShut = false
    },
  }
}
