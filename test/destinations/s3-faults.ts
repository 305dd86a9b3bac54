import { finished } from 'node:stream/promises'
import { inspect } from 'node:util'
import t from 'tap'
import { readBackupRecord } from '../../src/deliver/backup/backup-record.ts'
import { deliver } from '../../src/deliver/deliver.ts'
import { memory } from '../../src/destinations/memory/index.ts'
import { s3 } from '../../src/destinations/s3/index.ts'
import { batchOf, everyFault, large, run, small } from '../support/s3-faults.ts'
import { errorAnswer } from '../support/s3-proxy.ts'
import { startS3 } from '../support/s3-server.ts'

const server = await startS3()
const { proxy, client, bucket } = server
t.teardown(() => server.stop())

const MiB = 1_048_576

t.test('PutObject fails', (t) => everyFault(t, server, 'PutObject'))

t.test('CreateMultipartUpload fails', (t) => everyFault(t, server, 'CreateMultipartUpload'))

t.test('an answer that was lost makes no double, with the condition or without', async (t) => {
  for (const [operation, records] of [
    ['PutObject', small],
    ['CompleteMultipartUpload', large],
  ] as const) {
    for (const onConflict of ['overwrite', 'skip'] as const) {
      proxy.play(operation, { kind: 'reset after' }, 1)
      const { stats } = await run(server, records, { onConflict })
      t.equal(stats.delivered, records.length)
      t.equal((await server.keys()).length, 1)
      const conditions = proxy.seen
        .filter((seen) => seen.operation === operation)
        .map(({ headers }) => headers['if-none-match'])
      t.same(conditions, onConflict === 'skip' ? ['*', '*'] : [undefined, undefined])
      t.equal(proxy.openUploads.size, 0)
      await server.clear()
    }
  }
})

t.test('Retry-After is obeyed', async (t) => {
  proxy.play('PutObject', { kind: 'answer', status: 503, headers: { 'retry-after': '77' } }, 1)
  t.same((await run(server, small)).delays, [77_000])
  await server.clear()
})

t.test('an upload that cannot be aborted is said to stay open, and what failed first is what counts', async (t) => {
  proxy.play('CompleteMultipartUpload', errorAnswer(403, 'AccessDenied'), 1)
  const { proxy: inner } = server
  const failAbort = s3({ client: failingAborts(), bucket, partSize: 5 * MiB })
  const to = deliver(failAbort, { retry: false })
  to.end(batchOf(large))
  await t.rejects(finished(to), {
    message:
      /CompleteMultipartUpload .* was answered with AccessDenied \(HTTP 403\).*could not be aborted \(HTTP 500\)/,
  })
  t.equal(inner.openUploads.size, 1)
  await server.clear()
})

/** A client whose AbortMultipartUpload is always answered with 500. */
function failingAborts(): typeof client {
  const failing = server.clientWith({})
  failing.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName !== 'AbortMultipartUploadCommand') return next(args)
        throw Object.assign(new Error('no'), { $metadata: { httpStatusCode: 500 } })
      },
    { step: 'deserialize' },
  )
  return failing
}

t.test('a stream that is destroyed stops its uploads, and aborts what it began', async (t) => {
  proxy.play('UploadPart', { kind: 'hang' }, Number.POSITIVE_INFINITY)
  const to = deliver(s3({ client, bucket, partSize: 5 * MiB }), { backup: memory() })
  const hung = new Promise<void>((resolve) => {
    proxy.onHang = resolve
  })
  const batch = batchOf(large)
  to.end(batch)
  await hung
  to.destroy(new Error('enough'))
  await t.rejects(finished(to), { message: 'enough' })
  await proxy.until(() => proxy.openUploads.size === 0)
  t.match(to.stats(), { delivered: 0, backedUp: 0, pending: large.length }, 'nothing is settled')
  t.same(await server.keys(), [])
  await server.clear()
})

/** What S3 answers, the code that the service logs for it (guide, "Monitoring with CloudWatch Logs"), and how often it is sent again. */
const codes: readonly (readonly [status: number, answered: string, code: string, retries: number])[] = [
  [403, 'AccessDenied', 'S3.AccessDenied', 0],
  [404, 'NoSuchBucket', 'S3.NoSuchBucket', 0],
  [403, 'AccountProblem', 'S3.AccountProblem', 0],
  [403, 'AllAccessDisabled', 'S3.AllAccessDisabled', 0],
  [403, 'InvalidPayer', 'S3.InvalidPayer', 0],
  [403, 'NotSignedUp', 'S3.NotSignedUp', 0],
  [405, 'MethodNotAllowed', 'S3.MethodNotAllowed', 0],
  [503, 'SlowDown', 'S3.SlowDown', 1],
  [403, 'SubscriptionRequired', 'S3.SubscriptionRequired', 0],
  [400, 'InvalidToken', 'S3.InvalidToken', 0],
  [400, 'IllegalLocationConstraintException', 'S3.IllegalLocationConstraintException', 0],
  [400, 'KMS.NotFoundException', 'S3.KMS.NotFoundException', 0],
  [400, 'KMS.RequestLimitExceeded', 'S3.KMS.RequestLimitExceeded', 1],
  [400, 'KMS.KeyDisabled', 'S3.KMS.KeyDisabled', 0],
  [400, 'KMS.KeyNotConfigured', 'S3.KMS.KeyNotConfigured', 0],
  [400, 'KMS.AsymmetricCMKNotSupported', 'S3.KMS.AsymmetricCMKNotSupported', 0],
  [400, 'KMS.InvalidStateException', 'KMS.InvalidStateException', 0],
  [400, 'KMS.DisabledException', 'KMS.DisabledException', 0],
  [500, 'InternalError', 'InternalError', 1],
  // The service has no code of its own for these.
  [403, 'SignatureDoesNotMatch', 'S3.SignatureDoesNotMatch', 0],
  [403, 'InvalidAccessKeyId', 'S3.InvalidAccessKeyId', 0],
  [400, 'ExpiredToken', 'S3.ExpiredToken', 1],
  [403, 'RequestTimeTooSkewed', 'S3.RequestTimeTooSkewed', 1],
  [400, 'BadDigest', 'S3.BadDigest', 1],
  [412, 'PreconditionFailed', 'S3.PreconditionFailed', 0],
  [409, 'ConditionalRequestConflict', 'S3.ConditionalRequestConflict', 1],
  [400, 'RequestTimeout', 'S3.RequestTimeout', 1],
  [400, 'SomethingNew', 'S3.SomethingNew', 0],
]

t.test('each code is tried again or not as the table says, and no secret is said', async (t) => {
  const secret = 'FwoGZXIvYXdzEXAMPLETOKEN'
  const cases = [...codes, [400, `${secret} is not a code`, 'HTTP 400', 0] as const]
  const extra = `<Token-0>${secret}</Token-0><StringToSign>${secret}</StringToSign><AWSAccessKeyId>${secret}</AWSAccessKeyId>`
  for (const [status, answered, code, retries] of cases) {
    proxy.play('PutObject', errorAnswer(status, answered, extra), 1)
    const backup = memory()
    const result = await run(server, small, {}, { backup })
    t.equal(result.delays.length, retries, `${answered}: attempts more`)
    t.match(result.stats, retries === 0 ? { backedUp: small.length } : { delivered: small.length }, answered)
    t.equal(backup.objects.length, 1 - retries)
    for (const object of backup.objects) {
      t.notOk(object.bytes.includes(secret))
      t.equal(readBackupRecord(object.records[0] ?? '').errorCode, code)
    }
    await server.clear()
  }

  proxy.play('PutObject', errorAnswer(403, 'ExpiredToken', extra), 1)
  const to = deliver(s3({ client, bucket }), { retry: false })
  to.end(batchOf(small))
  const error: unknown = await finished(to).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  const said = inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })
  t.match(said, /S3\.ExpiredToken/)
  t.match(said, /ExpiredToken \(HTTP 403\): the session token has expired/)
  t.notMatch(said, secret)
  await server.clear()
})
