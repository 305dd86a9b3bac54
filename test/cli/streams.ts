/** Streams of records as inputs of the command line; Kafka itself is in `test/services/kafka.ts`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { listInputs } from '../../src/cli/inputs.ts'
import { streamInput } from '../../src/cli/stream-inputs.ts'
import { kinesisServer } from '../support/kinesis-server.ts'
import { program, records, start } from '../support/program.ts'

const { folder, hosepipe, main } = program(t.testdir())

t.test('addresses that cannot be taken say what is wrong', async (t) => {
  const refused: readonly [string, RegExp][] = [
    ['kafka://localhost:9092', /expected kafka:\/\/broker:9092\/topic\?group=name/],
    ['kafka://localhost:9092/orders', /a consumer group is missing/],
    ['kafka://localhost:9092/orders?group=g&groop=h', /there is no option groop, only alignTo, assignment/],
    ['kafka://localhost:9092/orders?group=g&group=h', /group stands in it twice/],
    ['kafka://localhost:9092/orders?group=g&sasl=basic', /sasl must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512/],
    ['kafka://localhost:9092/orders?group=g&sasl=plain', /sasl needs KAFKA_USERNAME and KAFKA_PASSWORD/],
    ['kafka://localhost:9092/orders?group=g&tls=1', /tls must be true or false/],
    [
      'kafka://me:secret@localhost:9092/orders?group=g',
      /^kafka:\/\/localhost:9092.*a name or a password stands in the environment/,
    ],
    ['kinesis://', /expected kinesis:\/\/stream/],
    ['kinesis://orders/x?checkpoints=f', /expected kinesis:\/\/stream/],
    ['kinesis://orders', /either \?checkpoints=file, for one process, or \?leases=table/],
    ['kinesis://orders?checkpoints=f&leases=t', /either/],
    ['kinesis://orders?checkpoints=f&shards=3', /there is no option shards, only checkpoints, commitEvery/],
  ]
  for (const [address, words] of refused) t.throws(() => streamInput(address), words, address)
  await t.rejects(
    streamInput('kafka://localhost/orders?group=g').begin(),
    /brokers must be an address, as in localhost:9092/,
  )
  await t.rejects(streamInput('kafka://h:1/orders?group=g&from=tomorrow').begin(), /from must be/)
  await t.rejects(streamInput('kafka://h:1/orders?group=g&alignTo=x').begin(), /alignTo must be/)
  await t.rejects(
    listInputs(['kinesis://orders?checkpoints=f', 'a.ndjson'], true),
    /kinesis:\/\/orders has no end, so nothing can be read beside it/,
  )
})

t.test(
  'hosepipe kinesis://… until SIGTERM: all is delivered, the account is right, and the next run goes on behind it',
  async (t) => {
    const server = await kinesisServer(t)
    await server.create('orders', 2)
    await server.put(
      'orders',
      Array.from({ length: 100 }, (_, i) => [`key-${i}`, `{"n":${i}}`] as const),
    )
    const dir = folder(t)
    const address = `kinesis://orders?from=trimHorizon&checkpoints=${join(dir, 'orders.json')}&region=us-east-1&endpoint=${server.endpoint}`
    const env = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }
    const run = async (count: number): Promise<readonly number[]> => {
      const even = ['--filter', 'r => r.n % 2 === 0', '--max-age', '100ms', '--report', 'json']
      const running = start(process.execPath, [main, address, '--to', 'out', '--to', 'copy', ...even], dir, env)
      while (records(join(dir, 'copy')).length < count && running.process.exitCode === null) {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      running.process.kill('SIGTERM')
      const { code, stdout, stderr } = await running.ended
      t.equal(code, 0, stderr)
      t.match(JSON.parse(stdout), { delivered: count - former, dropped: count - former, pending: 0 })
      former = count
      t.same(records(join(dir, 'out')).sort(), records(join(dir, 'copy')).sort())
      return records(join(dir, 'out'))
        .map((line) => JSON.parse(line).n)
        .sort((one, other) => one - other)
    }
    let former = 0
    const evens = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i * 2)
    t.same(await run(50), evens(50))
    t.equal(Object.keys(JSON.parse(readFileSync(join(dir, 'orders.json'), 'utf8')).orders).length, 2)
    await server.put(
      'orders',
      Array.from({ length: 20 }, (_, i) => [`key-${i}`, `{"n":${100 + i}}`] as const),
    )
    t.same(await run(60), evens(60), 'each record once')
    writeFileSync(join(dir, 'stream.json'), JSON.stringify({ source: address, to: 'out' }))
    writeFileSync(join(dir, 'file.json'), JSON.stringify({ source: 'orders.ndjson', to: 'out' }))
    const refused: readonly [readonly string[], RegExp][] = [
      [
        [address, '--split', 'csv', '--to', 'out'],
        /split is for bytes: records of kinesis:\/\/orders come as they are/,
      ],
      [['--config', 'stream.json', 'a.ndjson'], /source is kinesis:\/\/orders, so no files can be given beside it/],
      [['--config', 'file.json'], /source must be the address of a stream/],
      [['bench', address], /bench needs a file/],
    ]
    for (const [args, words] of refused) t.match(await hosepipe(dir, '', ...args), { code: 1, stderr: words })
    t.match(await hosepipe(dir, '', 'check', 'stream.json'), { code: 0 })
  },
)
