/** The programs on the pages of the sources, run as they stand there against servers on loopback; only names, addresses and ages are others. Kafka where `npm run test:services` has started a broker; Kinesis in this process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import ts from 'typescript'
import { kafkaCluster } from '../support/kafka-cluster.ts'
import { kinesisServer } from '../support/kinesis-server.ts'
import { codeBlocks } from '../support/readme.ts'
import { startS3, type TestS3 } from '../support/s3-server.ts'
import { transpile } from '../support/transpiled.ts'

const { KAFKA_BROKER: broker } = process.env

/** The code of a page's block, with what a test has instead of what stands there. */
function codeOf(page: string, block: number, instead: readonly (readonly [string, string])[]): string {
  const { code = '' } = codeBlocks().filter((one) => one.page === page)[block] ?? {}
  return instead.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`${page} has no ${from} any more`)
    return text.replaceAll(from, to)
  }, code)
}

/** Starts a program beside the package as users have it. */
function start(t: Test, code: string, storage: TestS3, more: Readonly<Record<string, string>> = {}) {
  const folder = t.testdir()
  transpile(folder)
  const target = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 }
  writeFileSync(join(folder, 'page.mjs'), ts.transpileModule(code, { compilerOptions: target }).outputText)
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn(process.execPath, ['page.mjs'], {
    cwd: folder,
    env: {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'secret-of-the-test',
      ...env,
      AWS_ENDPOINT_URL_S3: storage.endpoint,
      ...more,
    },
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let words = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words += text
  })
  return {
    child,
    /** Throws where it has ended by itself. */
    isThere: (): true => {
      if (child.exitCode !== null) throw new Error(`the program has ended: ${words}`)
      return true
    },
  }
}

async function stop(t: Test, child: ChildProcess): Promise<void> {
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  t.equal(code, 0, 'it ends well')
}

async function numbersIn({ keys, read }: TestS3, prefix: string): Promise<readonly number[]> {
  const texts: string[] = []
  for (const key of await keys(prefix)) texts.push((await read(key)).toString())
  return texts.flatMap((text) => text.trimEnd().split('\n').map(Number)).toSorted((a, b) => a - b)
}

/** Numbers from one on, each of which is there once. */
function followOn(t: Test, found: readonly number[], last: number): void {
  const [first = 0] = found
  const wanted = Array.from({ length: last - first + 1 }, (_, i) => first + i)
  t.ok(found.length > 0, 'there are records')
  t.same(found, wanted, 'from the first one on that was put behind its start, each once')
}

if (broker !== undefined) {
  const page = 'src/sources/kafka/README.md'
  for (const block of [0, 1]) {
    t.test(`${page}, program ${block + 1}`, async (t) => {
      const storage = await startS3()
      t.teardown(() => storage.stop())
      const { topic: make, put, admin } = kafkaCluster(t, broker)
      const topic = await make(1)
      const groupId = `lake-${topic}`
      const instead = [
        ['localhost:9092', broker],
        [`topics: 'orders'`, `topics: '${topic}'`],
        [`groupId: 'lake'`, `groupId: '${groupId}'`],
        [`bucket: 'lake'`, `bucket: '${storage.bucket}'`],
      ] as const
      const isExact = block === 1
      const ends =
        "process.once('SIGTERM', () => records.close())\nawait pipeline(records, hose)\nawait records.close()\n"
      const code = isExact
        ? `import { pipeline } from 'node:stream/promises'\n${codeOf(page, block, [...instead, ['10_000', '10']])}${ends}`
        : codeOf(page, block, [...instead, [`'60s'`, `'1s'`]])
      const { child, isThere } = start(t, code, storage)
      const committed = async (): Promise<number> => {
        const topics = [{ name: topic, partitionIndexes: [0] }]
        const [group] = await admin.listConsumerGroupOffsets({ groups: [{ groupId, topics }] })
        return Number(group?.topics[0]?.partitions[0]?.committedOffset ?? -1)
      }
      let sent = 0
      while ((await committed()) < 0 && isThere()) {
        await put(topic, [{ partition: 0, value: `${sent}` }])
        sent += 1
        await pause(20)
      }
      // The open batch is written at the end.
      while (!isExact && (await committed()) < sent && isThere()) await pause(20)
      await stop(t, child)
      t.equal(await committed(), sent, 'all that it had read is committed')
      followOn(t, await numbersIn(storage, 'orders/'), sent - 1)
    })
  }
}

t.test('src/sources/kinesis/README.md', async (t) => {
  const storage = await startS3()
  t.teardown(() => storage.stop())
  const server = await kinesisServer(t)
  await server.create('orders', 1)
  const code = codeOf('src/sources/kinesis/README.md', 0, [
    [`bucket: 'lake'`, `bucket: '${storage.bucket}'`],
    [`'60s'`, `'1s'`],
  ])
  const { child, isThere } = start(t, code, storage, { AWS_ENDPOINT_URL_KINESIS: server.endpoint })
  let sent = 0
  while ((await storage.keys('orders/')).length < 2 && isThere()) {
    await server.put('orders', [['key', `${sent}`]])
    sent += 1
    await pause(20)
  }
  await stop(t, child)
  const found = await numbersIn(storage, 'orders/')
  followOn(t, found, found.at(-1) ?? 0)
})
