import { once } from 'node:events'
import { createReadStream, readFileSync, writeFileSync } from 'node:fs'
import { request as requestOver } from 'node:http'
import { Agent, createServer } from 'node:https'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { inspect } from 'node:util'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { Batch, type BatchFacts } from '../../src/batch/batch.ts'
import { batch } from '../../src/batch/batch-stage.ts'
import type { Compressor } from '../../src/compress/compressor.ts'
import { gzip } from '../../src/compress/gzip.ts'
import { hadoopSnappy, snappy } from '../../src/compress/snappy.ts'
import { zip } from '../../src/compress/zip.ts'
import { zstd } from '../../src/compress/zstd.ts'
import { fanOut } from '../../src/deliver/branches/fan-out.ts'
import { deliver } from '../../src/deliver/deliver.ts'
import type { Destination, SendContext } from '../../src/deliver/destination.ts'
import { makeRequest } from '../../src/deliver/request.ts'
import { memory } from '../../src/destinations/memory/index.ts'
import { BodyMemory } from '../../src/destinations/s3/body-memory.ts'
import { S3Error, type S3Options, s3 } from '../../src/destinations/s3/index.ts'
import { concatenated } from '../../src/encode/concatenated.ts'
import { ndjson } from '../../src/encode/ndjson.ts'
import { HosepipeError, OptionError } from '../../src/errors.ts'
import { Account, type Position, type Receipt } from '../../src/receipts/receipts.ts'
import { Records } from '../../src/records/records.ts'
import { lines } from '../../src/split/lines.ts'
import { split } from '../../src/split/split.ts'
import { root } from '../support/modules.ts'
import { realEndpoint, startS3 } from '../support/s3-server.ts'

const server = await startS3()
const { proxy, client, bucket } = server
t.teardown(() => server.stop())
t.afterEach(() => server.clear())

const MiB = 1_048_576
const arrivedAt = Date.parse('2018-08-27T10:30:05.123Z')
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/

interface Shape extends Partial<BatchFacts> {
  readonly records?: readonly (string | Buffer)[]
}

function batchOf({ records = ['{"a":1}', '{"a":2}'], ...facts }: Shape = {}): Batch {
  const from = { receipt: new Account().open(records.length, arrivedAt), arrivedAt }
  const runs = records.map((record) => Records.pack(from, [record]))
  return new Batch(runs, { key: undefined, partitionKeys: {}, openedAt: arrivedAt, closedBy: 'end', ...facts })
}

const make = (options: Partial<S3Options> = {}): Destination => s3({ client, bucket, ...options })
const context = (signal = new AbortController().signal): SendContext => ({ attempt: 1, signal })

/** The key that `deliver` would ask for. */
function keyOf(to: Destination, shape?: Shape): string {
  const extension = (to.encode ?? ndjson()).extension + (to.compress?.extension ?? '')
  return to.objectKey?.(batchOf(shape), extension) ?? ''
}

/** Writes a batch as `deliver` would; resolves to its key. */
async function write(to: Destination, shape?: Shape, signal?: AbortSignal): Promise<string> {
  const objectKey = keyOf(to, shape)
  const { encode = ndjson({ newlines: 'keep' }), compress } = to
  await to.send(await makeRequest({ batch: batchOf(shape), encode, compress, objectKey }), context(signal))
  return objectKey
}

/** Bytes that cannot be made smaller, the same in every run. */
function noise(size: number): Buffer {
  const bytes = Buffer.alloc(size)
  let state = 1
  for (let i = 0; i < size; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

function refusal(options: Partial<S3Options>): string {
  try {
    make(options)
  } catch (error) {
    if (error instanceof OptionError) return error.message
    throw error
  }
  return 'it was taken'
}

t.test('an object: its key, its bytes, its header fields', async (t) => {
  const key = await write(make({ prefix: 'logs', name: 'app', compress: gzip() }))
  t.match(key, new RegExp(`^logs2018/08/27/10/app-1-2018-08-27-10-30-05-${uuid.source}\\.ndjson\\.gz$`))
  t.same(await server.keys(), [key])
  t.equal(gunzipSync(await server.read(key)).toString(), '{"a":1}\n{"a":2}\n')
  const put = proxy.seen.find(({ operation }) => operation === 'PutObject')
  t.match(put, {
    operation: 'PutObject',
    headers: { 'content-type': 'application/octet-stream', 'content-encoding': 'gzip', 'if-none-match': undefined },
  })
  t.match(put?.headers['x-amz-checksum-crc32'], /^[\w+/]{6}==$/, 'a checksum, as the SDK has it')
})

t.test('Content-Encoding is that of the format, or left out', async (t) => {
  const encodings = async (compress: Compressor | undefined, options: Partial<S3Options> = {}): Promise<unknown> => {
    proxy.forget()
    await write(make({ compress, ...options }))
    return proxy.seen[0]?.headers['content-encoding']
  }
  t.equal(await encodings(undefined), undefined)
  t.equal(await encodings(zip()), 'zip')
  t.equal(await encodings(snappy()), 'snappy-java')
  t.equal(await encodings(hadoopSnappy()), 'hadoop-snappy')
  t.equal(await encodings(zstd()), 'zstd')
  t.equal(await encodings(gzip(), { contentEncoding: false }), undefined)
})

t.test('storage class, encryption, metadata and condition, in one piece and in several', async (t) => {
  const to = make({
    storageClass: 'STANDARD_IA',
    sse: 'aws:kms',
    kmsKeyId: 'key-1',
    metadata: { origin: 'test' },
    tags: { team: 'a b', 'cost&centre': '=1' },
    acl: 'bucket-owner-full-control',
    contentType: 'application/x-ndjson; charset=utf-8',
    expectedBucketOwner: '123456789012',
    onConflict: 'skip',
    partSize: 5 * MiB,
    compress: gzip({ level: 1 }),
  })
  await write({ ...to, send: ignoreUnsupported(to) })
  const record = noise(6 * MiB)
  await write({ ...to, send: ignoreUnsupported(to) }, { records: [record] })
  for (const operation of ['PutObject', 'CreateMultipartUpload']) {
    t.match(proxy.seen.find((seen) => seen.operation === operation)?.headers, {
      'content-type': 'application/x-ndjson; charset=utf-8',
      'content-encoding': 'gzip',
      'x-amz-tagging': 'team=a+b&cost%26centre=%3D1',
      'x-amz-acl': 'bucket-owner-full-control',
      'x-amz-storage-class': 'STANDARD_IA',
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'key-1',
      'x-amz-meta-origin': 'test',
    })
  }
  for (const { headers } of proxy.seen) t.equal(headers['x-amz-expected-bucket-owner'], '123456789012')
  if (realEndpoint !== undefined) return
  const conditions = proxy.seen.map(({ operation, headers }) => [operation, headers['if-none-match']])
  t.same(conditions, [
    ['PutObject', '*'],
    ['CreateMultipartUpload', undefined],
    ['UploadPart', undefined],
    ['UploadPart', undefined],
    ['CompleteMultipartUpload', '*'],
  ])
})

t.test('the media type of the format', async (t) => {
  const key = await write(make({ contentType: 'format' }))
  t.equal((await server.head(key)).ContentType, ndjson().contentType)
  const wrong: readonly [Partial<S3Options>, RegExp][] = [
    [{ contentType: 'ndjson' }, /contentType must be a media type/],
    [{ tags: { a: 'x'.repeat(257) } }, /tags must be an object of at most 10 tags/],
    [{ tags: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`t${i}`, ''])) }, /at most 10 tags/],
    [{ expectedBucketOwner: '12' }, /expectedBucketOwner must be the 12 digits/],
    [{ keyFrom: 'position', objectName: '!{hosepipe:position}' }, /objectName cannot be given with keyFrom/],
  ]
  for (const [options, message] of wrong) t.throws(() => make(options), { name: 'OptionError', message })
})

t.test('names of the user’s own', async (t) => {
  const key = await write(make({ prefix: 'out/', objectName: 'part-!{hosepipe:counter}-!{hosepipe:run}' }))
  t.match(key, /^out\/part-000000-[0-9a-f]{8}\.ndjson$/)
  t.same(await server.keys('out/'), [key])
})

/** A real server may have no KMS: what was sent to it is what is looked at. */
function ignoreUnsupported(to: Destination): Destination['send'] {
  return async (request, given) => {
    await to.send(request, given).catch((error: unknown) => {
      if (realEndpoint === undefined) throw error
    })
  }
}

t.test('bodies around the size of a part, from parts of every size', async (t) => {
  const partSize = 5 * MiB
  const bytes = noise(2 * partSize + 1)
  const expected = [
    [0, ['PutObject']],
    [1, ['PutObject']],
    [partSize, ['PutObject']],
    [partSize + 1, ['UploadPart', 'UploadPart']],
    [2 * partSize, ['UploadPart', 'UploadPart']],
    [2 * partSize + 1, ['UploadPart', 'UploadPart', 'UploadPart']],
  ] as const
  for (const [size, operations] of expected) {
    for (const step of [size === 0 ? 1 : size, 999_983]) {
      if (step > size && size > 0) continue
      proxy.forget()
      const records = Array.from({ length: Math.max(1, Math.ceil(size / step)) }, (_, i) =>
        bytes.subarray(i * step, Math.min(size, (i + 1) * step)),
      )
      const key = await write(make({ partSize, encode: concatenated() }), { records })
      t.ok((await server.read(key)).equals(bytes.subarray(0, size)), `${size} bytes in steps of ${step}`)
      const sent = proxy.seen.map(({ operation }) => operation).filter((operation) => /^Put|^Upload/.test(operation))
      t.same(sent, operations)
      t.equal(proxy.openUploads.size, 0)
    }
  }
})

t.test('bytes in flight are bounded over all objects', async (t) => {
  const partSize = 5 * MiB
  const bytes = noise(6 * MiB)
  const records = [bytes, bytes]
  for (const maxUploadBytes of [1, 2 * partSize + 1000]) {
    proxy.forget()
    const to = make({ partSize, maxUploadBytes, encode: concatenated() })
    const keys = await Promise.all([
      ...[0, 1].map(() => write(to, { records })),
      ...Array.from({ length: 5 }, () => write(to, { records: [bytes.subarray(0, 2 * MiB)] })),
    ])
    t.ok(proxy.most <= Math.max(partSize, maxUploadBytes) + 10_000, `${proxy.most} bytes for ${maxUploadBytes}`)
    for (const [i, key] of keys.entries()) t.equal((await server.read(key)).length, (i < 2 ? 12 : 2) * MiB)
    await server.clear()
  }
})

t.test('over https the signature leaves the bytes out, unless it is to cover them', async (t) => {
  const file = (name: string) => readFileSync(join(root, 'test/inputs/tls', name))
  const [cert, key] = [file('cert.pem'), file('key.pem')]
  const front = createServer({ cert, key }, (incoming, response) => {
    const { method, url, headers } = incoming
    const behind = requestOver(server.endpoint, { method, path: url, headers })
    behind.on('response', (answer) => answer.pipe(response.writeHead(answer.statusCode ?? 0, answer.headers)))
    incoming.pipe(behind)
  })
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  t.teardown(() => front.close())
  const address = front.address()
  if (typeof address !== 'object' || address === null) throw new Error('there is no port')
  const secure = server.clientWith({
    endpoint: `https://127.0.0.1:${address.port}`,
    requestHandler: { httpsAgent: new Agent({ ca: cert }) },
  })
  t.teardown(() => secure.destroy())
  const records = [noise(6 * MiB), noise(100)]
  for (const [options, hash] of [
    [{ client: secure }, /^UNSIGNED-PAYLOAD$/],
    [{ client: secure, signBody: true }, /^[\da-f]{64}$/],
    [{}, /^[\da-f]{64}$/],
  ] as const) {
    for (const partSize of [5 * MiB, 8 * MiB]) {
      proxy.forget()
      const written = await write(make({ ...options, partSize, encode: concatenated() }), { records })
      t.strictSame(await server.read(written), Buffer.concat(records))
      const bodies = proxy.seen.filter(({ operation }) => operation === 'PutObject' || operation === 'UploadPart')
      t.equal(bodies.length, partSize === 5 * MiB ? 2 : 1)
      for (const { headers } of bodies) {
        t.match(headers['x-amz-content-sha256'], hash)
        t.match(headers.authorization, /x-amz-checksum-crc32/, 'a checksum of them is signed')
      }
    }
  }
})

t.test('memory of bodies is used again when they have been read, while others are under way', (t) => {
  const memory = new BodyMemory()
  const pieces = (fill: string, bytes: number) => [Buffer.alloc(bytes - 1, fill), Buffer.from('!')]
  const whole = Buffer.alloc(100_000, 'w')
  t.equal(memory.join([whole], whole.length).bytes, whole, 'what lies in one piece is not copied')
  t.equal(memory.join(pieces('s', 10), 10).bytes.toString(), 'sssssssss!')
  const [first, second, third] = ['a', 'b', 'c'].map((fill) => memory.join(pieces(fill, 100_000), 100_000))
  t.equal(first?.bytes.toString('latin1'), `${'a'.repeat(99_999)}!`)
  first?.end(true)
  second?.end(false)
  const [again, fresh] = ['d', 'e'].map((fill) => memory.join(pieces(fill, 90_000), 90_000))
  t.equal(again?.bytes.buffer, first?.bytes.buffer)
  t.equal(again?.bytes.toString('latin1'), `${'d'.repeat(89_999)}!`)
  t.not(fresh?.bytes.buffer, second?.bytes.buffer, 'what has failed may be on its way')
  t.equal(second?.bytes.toString('latin1'), `${'b'.repeat(99_999)}!`)
  again?.end(true)
  const large = memory.join(pieces('f', 1_000_000), 1_000_000)
  t.not(large.bytes.buffer, again?.bytes.buffer, 'too small')
  const small = memory.join(pieces('g', 70_000), 70_000)
  large.end(true)
  t.not(memory.join(pieces('h', 70_000), 70_000).bytes.buffer, large.bytes.buffer, 'too large')
  t.equal(third?.bytes.toString('latin1'), `${'c'.repeat(99_999)}!`)
  for (const one of [third, fresh, small]) one?.end(true)
  t.end()
})

t.test('a body is not kept for the next attempt in a copy beside its records', async (t) => {
  const request = await makeRequest({
    batch: batchOf({ records: ['a', 'b'].map((x) => x.repeat(20_000)) }),
    encode: concatenated(),
    objectKey: 'x',
  })
  t.equal(request.parts.length, 2)
  proxy.play('PutObject', { kind: 'answer', status: 503 }, 1)
  await t.rejects(make().send(request, context()), { code: 'HTTP 503' })
  t.equal(request.parts.length, 2)
  await make().send(request, context())
  t.equal((await server.read('x')).length, 40_000)
})

t.test('an attempt that was cut off leaves nothing open, and no room taken', async (t) => {
  const partSize = 5 * MiB
  const to = make({ partSize, maxUploadBytes: partSize, encode: concatenated() })
  for (const operation of ['PutObject', 'UploadPart', 'CompleteMultipartUpload'] as const) {
    proxy.play(operation, { kind: 'hang' }, Number.POSITIVE_INFINITY)
    const abort = new AbortController()
    const hung = new Promise<void>((resolve) => {
      proxy.onHang = resolve
    })
    const records = [operation === 'PutObject' ? noise(10) : noise(11 * MiB)]
    // A second large one waits for the room that the first has.
    const writes = operation === 'PutObject' ? [0] : [0, 1]
    const sent = writes.map(() => t.rejects(write(to, { records }, abort.signal), { message: 'time is over' }))
    await hung
    abort.abort(new Error('time is over'))
    await Promise.all(sent)
    await proxy.until(() => proxy.openUploads.size === 0)
    proxy.forget()
    t.same(await server.keys(), [], 'no object')
  }
  await t.rejects(write(to, {}, AbortSignal.abort(new Error('before it began'))), { message: 'before it began' })
  t.equal((await server.read(await write(to, { records: [noise(11 * MiB)] }))).length, 11 * MiB, 'the room is there')
})

t.test('an upload that was created when its attempt had been cut off is ended, too', async (t) => {
  const to = make({ partSize: 5 * MiB, encode: concatenated() })
  const abort = new AbortController()
  const created = new Promise<void>((resolve) => {
    proxy.onHang = resolve
  })
  let answer = (): void => undefined
  const until = new Promise<void>((resolve) => {
    answer = resolve
  })
  proxy.play('CreateMultipartUpload', { kind: 'late', until }, 1)
  const sent = t.rejects(write(to, { records: [noise(11 * MiB)] }, abort.signal), { message: 'time is over' })
  await created
  t.equal(proxy.openUploads.size, 1)
  abort.abort(new Error('time is over'))
  answer()
  await sent
  t.equal(proxy.openUploads.size, 0)
  t.equal(proxy.count('AbortMultipartUpload'), 1)
  t.equal(proxy.count('UploadPart'), 0)
  proxy.forget()
  t.same(await server.keys(), [], 'no object')
})

t.test('keys: what is refused when the destination is made', async (t) => {
  t.match(refusal({ prefix: '!{timestamp:bad pattern b}' }), /^s3: prefix, !\{timestamp:bad pattern b\} at character 1/)
  t.match(refusal({ prefix: 'a/!{partitionKey:x}/!{when:yyyy}' }), /at character 21: there is no namespace "when"/)
  t.match(refusal({ prefix: 'x'.repeat(513) }), /prefix cannot be used: .* prefix has 527 characters, but at most 512/)
  t.match(refusal({ errorPrefix: '!{timestamp:yyyy}/' }), /must contain !\{firehose:error-output-type\}/)
  t.match(refusal({ errorPrefix: `!{firehose:error-output-type}${'x'.repeat(513)}` }), /errorPrefix cannot be used/)
  t.match(refusal({ prefix: '!{firehose:random-string}/', keyFrom: 'position' }), /no random-string/)
  t.match(refusal({ bucket: 'a b' }), /bucket must be the name of a bucket.*"a b"/)
  t.throws(() => s3(JSON.parse('{}')), OptionError)
  t.match(refusal(JSON.parse('{"bucket":null}')), /bucket must be .* but came as null/)
  t.match(
    refusal({ partSize: 1024 }),
    /partSize must be a whole number of bytes, or a size such as '5MiB', at least 5242880, but came as 1024/,
  )
  t.match(refusal({ kmsKeyId: 'key' }), /kmsKeyId needs sse/)
  t.match(refusal({ kmsKeyId: 'key', sse: 'AES256' }), /kmsKeyId needs sse .*"AES256"/)
  t.match(refusal(JSON.parse('{"metadata":{"a":1}}')), /metadata must be an object whose values are strings/)
  t.match(refusal(JSON.parse('{"client":{}}')), /client must be a client of @aws-sdk/)
  t.match(refusal(JSON.parse('{"onConflit":"skip"}')), /did you mean onConflict/)
})

t.test('keys: what comes from records', async (t) => {
  const to = make({ prefix: 'c=!{partitionKeyFromQuery:c}/' })
  t.match(keyOf(to, { partitionKeys: { c: 'ä/b' } }), /^c=ä%2Fb\/hosepipe-1-/)
  const asInService = make({ prefix: 'c=!{partitionKeyFromQuery:c}/', escape: 'none' })
  t.match(keyOf(asInService, { partitionKeys: { c: 'ä/../b' } }), /^c=ä\/\.\.\/b\/hosepipe-1-/)
  t.match(keyOf(asInService, { partitionKeys: { c: '\ud800' } }), /^c=�\//, 'half of a character cannot be sent')
  t.throws(() => keyOf(to, { partitionKeys: { c: 'x'.repeat(600) } }), {
    code: 'Delivery.NoObjectKey',
    message: 's3: the object prefix has 603 characters, but at most 512 are possible',
  })
  t.throws(() => keyOf(to, { partitionKeys: { c: '€'.repeat(400) } }), { message: /key has 1\d{3} bytes/ })
  const odd = { partitionKeys: { c: "!'()* +&?#%2F\u{1f600}" } }
  const key = await write(asInService, odd)
  t.equal((await server.read(key)).toString(), '{"a":1}\n{"a":2}\n', 'odd characters get there')
  const account = new Account()
  const runs = ['2024-02-29T23:59:59.999Z', '2024-02-29T23:59:58Z', '2024-03-01T00:00:00Z'].map((at) => {
    const arrivedAt = Date.parse(at)
    return Records.pack({ receipt: account.open(1, arrivedAt), arrivedAt }, ['x'])
  })
  const late = { key: undefined, partitionKeys: {}, openedAt: Date.parse('2025-01-01'), closedBy: 'end' } as const
  const timed = make({ prefix: '!{timestamp:yyyy/MM/dd/HH:mm:ss}/', timeZone: 'Europe/Rome' })
  t.match(
    timed.objectKey?.(new Batch(runs, late), ''),
    /^2024\/03\/01\/00:59:58\/hosepipe-1-2024-03-01-00-59-58-/,
    'the time is that of the oldest record, whichever it is',
  )
  t.match(keyOf(make({ errorPrefix: 'bad/' }), { outputType: 'processing-failed' }), /^bad\/processing-failed\/2018\//)
})

/** The receipt of a run that came from somewhere. */
function receiptAt(account: Account, position: Position | undefined, count: number): Receipt {
  return account.open(count, Date.now(), { position })
}

t.test('keyFrom position: the same records have the same key, and others another', async (t) => {
  const options = { keyFrom: 'position', prefix: 'logs/' } as const
  const facts = { key: undefined, partitionKeys: {}, openedAt: 0, closedBy: 'end' } as const
  /** A life of the process: two runs of four, three records of the second go to a batch of their own. */
  const life = (position: Position = { source: 'a.log', from: 0, to: 40 }, key?: string): readonly string[] => {
    const to = make(options)
    const account = new Account()
    const pack = (given: Position): Records =>
      Records.pack({ receipt: receiptAt(account, given, 4), arrivedAt: Date.now() }, ['a', 'a', 'a', 'a'])
    const [first, second] = [pack(position), pack({ ...position, from: 40, to: 80 })]
    const batches = [[first, second.slice(0, 1)], [second.slice(1, 2)], [second.slice(2, 3)], [second.slice(3, 4)]]
    return batches.map((runs) => to.objectKey?.(new Batch(runs, { ...facts, key }), '.gz') ?? '')
  }
  const keys = life()
  t.same(life(), keys, 'again after a crash')
  t.equal(new Set(keys).size, 4, 'records that are alike are told apart by their place')
  t.match(keys[0], /^logs\/hosepipe-1-0-80-[0-9a-f]{32}\.gz$/, 'no time, which would be another the next time')
  const others = [
    life({ source: 'b.log', from: 0, to: 40 }),
    life({ source: 'a.log', from: 0, to: 41 }),
    life(undefined, 'k'),
  ]
  t.equal(
    new Set([...keys, ...others.flat()]).size,
    13,
    'other source, place or partition key; three are at the same place',
  )
  const shards = make(options)
  const account = new Account()
  const odd = { source: 's/1', from: `49${'0'.repeat(70)}`, to: 'end of/shard' }
  const run = Records.pack({ receipt: receiptAt(account, odd, 1), arrivedAt: 0 }, ['x'])
  t.match(shards.objectKey?.(new Batch([run], facts), ''), /^logs\/hosepipe-1-490{62}-end_of_shard-[0-9a-f]{32}$/)
  const failed = shards.objectKey?.(new Batch([run], { ...facts, outputType: 'x-failed' }), '') ?? ''
  t.match(failed, uuid, 'what failed may be others the next time')

  for (const [position, message] of [
    [undefined, /came without a position/],
    [{ from: 0, to: 1 }, /has no source; give the input a name/],
  ] as const) {
    const records = Records.pack({ receipt: receiptAt(account, position, 1), arrivedAt: 0 }, ['x'])
    t.throws(() => shards.objectKey?.(new Batch([records], facts), ''), { code: 'Delivery.NoObjectKey', message })
  }
})

t.test('keyFrom position and onConflict skip: a replay of a file writes nothing twice', async (t) => {
  const path = join(t.testdir(), 'app.log')
  const records = Array.from({ length: 3_000 }, (_, i) => `{"id":${i},"same":"${'x'.repeat(60)}"}`)
  writeFileSync(path, `${records.join('\n')}\n`)
  const options = { keyFrom: 'position', onConflict: 'skip', prefix: 'replay/' } as const
  const life = async (stopAfter = Number.POSITIVE_INFINITY): Promise<void> => {
    const to = deliver(make(options))
    const way = [
      createReadStream(path, { highWaterMark: 16_384 }),
      split(lines(), { source: path }),
      batch({ maxBytes: 20_000 }),
    ] as const
    const done = pipeline(...way, to)
    const stopped = done.catch((error: Error) => error)
    while (proxy.count('PutObject') < stopAfter && !to.closed) {
      await Promise.race([proxy.until(() => proxy.count('PutObject') >= stopAfter), once(to, 'close')])
    }
    if (to.closed) return done
    to.destroy(new Error('crash'))
    t.match(await stopped, { message: 'crash' })
  }
  await life(4)
  await life()
  const keys = await server.keys('replay/')
  t.ok(keys.length > 5, `${keys.length} objects`)
  const written = (await Promise.all(keys.map((key) => server.read(key)))).join('').trimEnd().split('\n')
  t.same(written.sort(), records.toSorted(), 'each record once')
})

t.test('branches of a fan-out have keys of their own count', async (t) => {
  const position = { source: 'a', from: 0, to: 4 }
  const branch = (name: string) => ({ name, to: deliver(make({ keyFrom: 'position', prefix: `${name}/` })) })
  const account = new Account()
  const run = Records.pack({ receipt: receiptAt(account, position, 4), arrivedAt: 0 }, ['a', 'a', 'a', 'a'])
  const facts = { key: undefined, partitionKeys: {}, openedAt: 0, closedBy: 'end' } as const
  const to = fanOut(branch('one'), branch('two'))
  for (let i = 0; i < 4; i += 1) to.write(new Batch([run.slice(i, i + 1)], facts))
  to.end()
  await once(to, 'close')
  t.equal((await server.keys('one/')).length, 4)
  t.equal((await server.keys('two/')).length, 4)
})

t.test('a bucket that is not there, and a server that is not there', async (t) => {
  await t.rejects(write(make({ bucket: 'hosepipe-that-nobody-made' })), {
    name: 'S3Error',
    code: 'S3.NoSuchBucket',
    status: 404,
    retryable: false,
    message:
      's3: PutObject in the bucket hosepipe-that-nobody-made was answered with NoSuchBucket (HTTP 404): there is no such bucket',
  })
  const nowhere = server.clientWith({ endpoint: 'http://127.0.0.1:1' })
  await t.rejects(write(make({ client: nowhere })), { code: 'ECONNREFUSED', status: undefined, retryable: true })
  const secret = 'aws-vault exec --key AKIAEXAMPLE'
  const credentials = async (): Promise<never> => {
    throw Object.assign(new Error(secret), { name: 'CredentialsProviderError' })
  }
  const error: unknown = await write(make({ client: server.clientWith({ credentials }) })).catch((thrown) => thrown)
  t.ok(error instanceof S3Error)
  t.match(error, { message: `s3: PutObject in the bucket ${bucket} failed: no credentials could be loaded` })
  t.notMatch(inspect(error, { depth: 9, showHidden: true }), secret)
  await t.rejects(
    make().send(await makeRequest({ batch: batchOf(), encode: ndjson(), objectKey: undefined }), context()),
    HosepipeError,
  )
})

t.test('a client of its own, from the environment', async (t) => {
  const environment = {
    AWS_ENDPOINT_URL_S3: server.endpoint,
    AWS_REGION: process.env.AWS_REGION ?? 'us-east-1',
    AWS_ACCESS_KEY_ID: process.env.AWS_ACCESS_KEY_ID ?? 'test',
    AWS_SECRET_ACCESS_KEY: process.env.AWS_SECRET_ACCESS_KEY ?? 'test',
  }
  t.intercept(process, 'env', { value: { ...process.env, ...environment } })
  const to = s3({ bucket, prefix: 'own/' })
  proxy.play('PutObject', { kind: 'answer', status: 503 }, 1)
  await t.rejects(write(to), { code: 'HTTP 503' })
  t.equal(proxy.count('PutObject'), 1, 'it leaves retries to deliver')
  t.equal((await server.read(await write(to))).length, 16)
  await to.close?.()
  await to.close?.()
})

t.test('as primary destination and as backup', async (t) => {
  const backup = make({ prefix: 'data/', errorPrefix: 'failed/!{firehose:error-output-type}/' })
  const to = deliver(memory({ fail: [Object.assign(new Error('no'), { retryable: false })] }), { backup })
  to.end('{"a":1}')
  await once(to, 'close')
  const [key = ''] = await server.keys()
  t.match(key, /^failed\/memory-failed\/hosepipe-1-/)
  t.match(JSON.parse((await server.read(key)).toString()), { rawData: Buffer.from('{"a":1}').toString('base64') })
})
