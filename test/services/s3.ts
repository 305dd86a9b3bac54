/**
 * What only a real S3 server can say: that it refuses to overwrite, wrong checksums and wrong keys, and which uploads it thinks are
 * open. `npm run test:services` starts one.
 */
import { once } from 'node:events'
import { ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import t from 'tap'
import { deliver } from '../../src/deliver/deliver.ts'
import { makeRequest } from '../../src/deliver/request.ts'
import { memory } from '../../src/destinations/memory/index.ts'
import { s3 } from '../../src/destinations/s3/index.ts'
import { concatenated } from '../../src/encode/concatenated.ts'
import { requestOf } from '../support/requests.ts'
import { realEndpoint, startS3 } from '../support/s3-server.ts'

if (realEndpoint === undefined) t.plan(0, 'there is no S3_ENDPOINT; see npm run test:services')
else await run()

async function run(): Promise<void> {
  const server = await startS3()
  const { client, bucket, proxy } = server
  t.teardown(() => server.stop())
  const direct = server.clientWith({ endpoint: realEndpoint ?? '' })
  t.teardown(() => direct.destroy())
  const context = { attempt: 1, signal: new AbortController().signal }

  t.test('the server itself refuses to overwrite, and the object stays as it was', async (t) => {
    const to = s3({ client: direct, bucket, onConflict: 'skip' })
    await to.send(await requestOf(['first']), context)
    await to.send(await requestOf(['second']), context)
    t.equal((await server.read('there')).toString(), 'first\n')
    await s3({ client: direct, bucket }).send(await requestOf(['third']), context)
    t.equal((await server.read('there')).toString(), 'third\n', 'without the condition it is overwritten')
  })

  t.test('a wrong secret, and a wrong key', async (t) => {
    const { accessKeyId } = await client.config.credentials()
    for (const [credentials, code] of [
      [{ accessKeyId, secretAccessKey: 'not-the-secret' }, 'S3.SignatureDoesNotMatch'],
      [{ accessKeyId: 'nobody', secretAccessKey: 'not-the-secret' }, 'S3.InvalidAccessKeyId'],
    ] as const) {
      const wrong = server.clientWith({ endpoint: realEndpoint ?? '', credentials })
      const backup = memory()
      const to = deliver(s3({ client: wrong, bucket }), { backup })
      to.end('{"a":1}')
      await once(to, 'close')
      t.match(backup.objects[0]?.json(), [{ errorCode: code, attemptsMade: 1 }])
      t.notOk(backup.objects[0]?.bytes.includes('not-the-secret'))
      wrong.destroy()
    }
  })

  t.test('a body that does not fit its checksum is refused', async (t) => {
    const wrong = new PutObjectCommand({
      Bucket: bucket,
      Key: 'wrong',
      Body: 'x',
      ContentMD5: 'AAAAAAAAAAAAAAAAAAAAAA==',
    })
    await t.rejects(direct.send(wrong), { name: 'BadDigest' })
  })

  t.test('no upload stays open when one is given up', async (t) => {
    proxy.play('UploadPart', { kind: 'answer', status: 400 }, 1)
    const batch = (await requestOf(['x'.repeat(6 * 1024 * 1024)])).batch
    const request = await makeRequest({ batch, encode: concatenated(), objectKey: 'large' })
    const to = s3({ client, bucket, partSize: 5 * 1024 * 1024 })
    await t.rejects(to.send(request, context), { code: 'HTTP 400' })
    t.equal(proxy.count('AbortMultipartUpload'), 1)
    t.same((await direct.send(new ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? [], [])
    await to.send(request, context)
    t.equal((await server.head('large')).ContentLength, request.byteLength)
    t.match((await server.head('large')).ETag, /-2"$/, 'in two parts')
  })
}
