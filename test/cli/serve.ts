/** `hosepipe serve`, as a process that an SDK of AWS sends to. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import {
  CreateDeliveryStreamCommand,
  DeleteDeliveryStreamCommand,
  DescribeDeliveryStreamCommand,
  FirehoseClient,
  ListDeliveryStreamsCommand,
  PutRecordBatchCommand,
  TagDeliveryStreamCommand,
} from '@aws-sdk/client-firehose'
import t, { type Test } from 'tap'
import { directPut } from '../../src/sources/direct-put/index.ts'
import { kinesisServer } from '../support/kinesis-server.ts'
import { program, type Running, start } from '../support/program.ts'

const { begin, folder, hosepipe, main } = program(t.testdir())
const S3 = { RoleARN: 'arn:aws:iam::000000000000:role/r', BucketARN: 'arn:aws:s3:::lake' }

/** A client of a server that has said where it is. */
async function clientOf(t: Test, running: Running): Promise<{ sdk: FirehoseClient; url: string }> {
  t.teardown(() => running.process.kill('SIGKILL'))
  let url = ''
  running.process.stderr?.on('data', (text) => {
    url ||= /a Firehose at (http:\S+?)[,;]/.exec(String(text))?.[1] ?? ''
  })
  await running.said(/a Firehose at http/)
  const sdk = new FirehoseClient({
    endpoint: url,
    region: 'x',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  })
  t.teardown(() => sdk.destroy())
  return { sdk, url }
}

const put = (sdk: FirehoseClient, DeliveryStreamName: string, ...texts: string[]) =>
  sdk.send(
    new PutRecordBatchCommand({ DeliveryStreamName, Records: texts.map((text) => ({ Data: Buffer.from(text) })) }),
  )

/** What stands in all files. One that is being written has another name a moment later. */
function textsIn(dir: string): string {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.tmp'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .sort()
    .join('')
}

t.test('streams of a config and streams that are created are delivered at SIGTERM, and are there again', async (t) => {
  const config = {
    port: 0,
    dir: 'buckets',
    stateFile: 'streams.json',
    streams: { given: { S3DestinationConfiguration: S3 } },
  }
  const cwd = folder(t, { 'conf/serve.json': JSON.stringify(config) })
  const first = begin(cwd, 'serve', 'conf/serve.json')
  const { sdk, url } = await clientOf(t, first)
  t.match(await (await fetch(`${url}/healthz`)).json(), { status: 'ok' })
  t.match(await (await fetch(`${url}/readyz`)).json(), { status: 'ok' })
  await put(sdk, 'given', 'a\n', 'b\n')
  for (const DeliveryStreamName of ['made', 'gone']) {
    await sdk.send(
      new CreateDeliveryStreamCommand({
        DeliveryStreamName,
        ExtendedS3DestinationConfiguration: { ...S3, Prefix: `${DeliveryStreamName}/` },
      }),
    )
  }
  await sdk.send(new TagDeliveryStreamCommand({ DeliveryStreamName: 'made', Tags: [{ Key: 'k', Value: 'v' }] }))
  await put(sdk, 'made', 'c\n')
  await sdk.send(new DeleteDeliveryStreamCommand({ DeliveryStreamName: 'gone' }))
  first.process.kill('SIGTERM')
  const { code, stderr } = await first.ended
  t.equal(code, 0, stderr)
  t.match(stderr, /SIGTERM: delivering what there is, for 30\.0 s at most/)
  t.equal(textsIn(join(cwd, 'conf/buckets/lake')), 'a\nb\nc\n')
  t.equal(statSync(join(cwd, 'conf/streams.json')).mode & 0o777, 0o600, 'configurations may have secrets')

  const second = begin(cwd, 'serve', 'conf/serve.json')
  const again = await clientOf(t, second)
  t.match(await again.sdk.send(new ListDeliveryStreamsCommand({})), { DeliveryStreamNames: ['given', 'made'] })
  t.match(await again.sdk.send(new DescribeDeliveryStreamCommand({ DeliveryStreamName: 'made' })), {
    DeliveryStreamDescription: { Destinations: [{ ExtendedS3DestinationDescription: { Prefix: 'made/' } }] },
  })
  await put(again.sdk, 'made', 'd\n')
  second.process.kill('SIGINT')
  t.equal((await second.ended).code, 0)
  t.equal(textsIn(join(cwd, 'conf/buckets/lake')), 'a\nb\nc\nd\n')
})

t.test('with nothing configured it is a Firehose whose buckets are folders', async (t) => {
  const cwd = folder(t)
  const running = begin(cwd, 'serve', '--grace', '10s')
  const { sdk, url } = await clientOf(t, running)
  t.equal(url, 'http://127.0.0.1:4573')
  await sdk.send(new CreateDeliveryStreamCommand({ DeliveryStreamName: 'logs', S3DestinationConfiguration: S3 }))
  await put(sdk, 'logs', 'x\n')
  running.process.kill('SIGTERM')
  t.equal((await running.ended).code, 0)
  t.equal(textsIn(join(cwd, 'firehose/lake')), 'x\n')
})

t.test('a stream of Kinesis that is a source is read on where the server before was', async (t) => {
  const kinesis = await kinesisServer(t)
  await kinesis.create('orders', 2)
  const source = {
    DeliveryStreamType: 'KinesisStreamAsSource',
    KinesisStreamSourceConfiguration: {
      KinesisStreamARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders',
      RoleARN: 'arn:aws:iam::000000000000:role/r',
    },
    ExtendedS3DestinationConfiguration: { ...S3, BufferingHints: { IntervalInSeconds: 0, SizeInMBs: 1 } },
  }
  const config = {
    port: 0,
    dir: 'buckets',
    kinesis: { checkpoints: 'kept', from: 'trimHorizon', endpoint: kinesis.endpoint, region: 'us-east-1' },
    streams: { taken: source },
  }
  const cwd = folder(t, { 'serve.json': JSON.stringify(config) })
  const lake = join(cwd, 'buckets/lake')
  let wanted = ''
  for (const text of ['a', 'b']) {
    const running = start(process.execPath, [main, 'serve', 'serve.json'], cwd, {
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
    })
    await clientOf(t, running)
    await kinesis.put('orders', [[text, text]])
    wanted += text
    while (!existsSync(lake) || textsIn(lake).length < wanted.length) await pause(20)
    running.process.kill('SIGTERM')
    const { code, stderr } = await running.ended
    t.equal(code, 0, stderr)
    t.equal(textsIn(lake), wanted, 'none twice')
  }
  t.ok(existsSync(join(cwd, 'kept/taken.json')))

  const { kinesis: _, ...without } = config
  writeFileSync(join(cwd, 'serve.json'), JSON.stringify(without))
  t.match(await hosepipe(cwd, '', 'serve', 'serve.json'), {
    code: 1,
    stderr: /streams\.taken: KinesisStreamSourceConfiguration needs the member kinesis of the config/,
  })
})

t.test('what is wrong is told before anything is served', async (t) => {
  const cwd = folder(t, {
    'typo.json': '{"prot":1}',
    'stream.json': '{"port":0,"streams":{"a":{"S3DestinationConfiguration":{}}}}',
    'source.json': '{"port":0,"kinesis":{"checkpoint":"x"}}',
    'none.json': '{"port":0,"streams":{"a":1}}',
    'open.json': '{"port":0,"host":"0.0.0.0"}',
    'auth.json': '{"port":0,"auth":{"accessKeyId":"a","secretAccessKey":"file:none"}}',
    'state.json': '{"port":0,"dir":".","stateFile":"typo.json"}',
  })
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['typo.json'], /serve: there is no option "prot"; did you mean port\?/],
    [['stream.json'], /streams\.a: .*S3DestinationConfiguration\.BucketARN is missing/],
    [['source.json'], /serve\.kinesis: there is no option "checkpoint"; did you mean checkpoints\?/],
    [['none.json'], /streams\.a must be an object/],
    [['open.json'], /with another host than this machine's own, auth must be given/],
    [['auth.json'], /auth\.secretAccessKey names a file that cannot be read/],
    [['state.json'], /stateFile must be a file that a server has written, or none yet/],
    [['missing.json'], /missing\.json/],
    [['a.json', '--config', 'b.json'], /takes one config/],
    [['--to', './x'], /serve takes a config, and --grace/],
    [['--report', 'none'], /serve does not take --report/],
  ]
  for (const [args, message] of cases) {
    const { code, stderr } = await hosepipe(cwd, '', 'serve', ...args)
    t.match({ code, stderr }, { code: 1, stderr: message }, args.join(' '))
  }
})

t.test('files of streams that something else has written are refused', async (t) => {
  const dir = t.testdir({ 'a.json': '[]', 'b.json': '{', 'c.json': '{"version":1,"streams":[{"name":"x"}]}', d: {} })
  for (const name of ['a.json', 'b.json', 'c.json', 'd']) {
    const server = directPut({ create: () => Promise.reject(new Error('never')), stateFile: join(dir, name) })
    server.finished.catch(() => undefined)
    await t.rejects(server.listening(), { name: 'OptionError', message: /stateFile/ })
  }
})
