/** What may be a secret shows nowhere: in messages, in what `console.error` prints, in backup records, on the command line. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'
import t from 'tap'
import { memory } from '../src/destinations/memory/index.ts'
import { deliver, HosepipeError } from '../src/index.ts'
import { checkOptions, type Fields, whole } from '../src/options.ts'
import { redact } from '../src/redact.ts'
import { program } from './support/program.ts'

const awsKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY1'.slice(0, 40)
const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.aaaahunter2'

const secretive = [
  'GET https://me:hunter2@example.com/x failed',
  's3://KEY:abc/hunter2@bucket/prefix',
  'https://me:p@ss:hunter2@example.com/',
  'https://hunter2@example.com/',
  '/x?region=eu&X-Amz-Signature=hunter2&y=1',
  'password=hunter2',
  'PGPASSWORD=hunter2 psql',
  'password: "hun\\"ter2 hunter2"',
  "{ password: 'hunter2', user: 'me' }",
  '{"password":"hunter2"}',
  '{"clientSecret" : "hunter2"}',
  'aws_secret_access_key=hunter2',
  'aws_session_token = hunter2',
  'x-api-key: hunter2',
  'Cookie: a=1; session=hunter2',
  'Set-Cookie: session=hunter2; Path=/',
  'Authorization: Splunk hunter2',
  'Authorization: Basic aHVudGVyMg==, hunter2'.slice(0, 35),
  'Authorization: AWS4-HMAC-SHA256 Credential=hunter2/20260101/eu/s3/aws4_request, Signature=hunter2',
  "authorization: 'Bearer hunter2hunter2'",
  'sent Bearer hunter2hunter2== to it',
  `the key ${awsKey} is not known`,
  `token ${jwt}`,
  '-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----',
  '-----BEGIN PRIVATE KEY-----\nhunter2',
]

t.test('secrets are taken out of text, whatever they stand in', async (t) => {
  for (const text of secretive) {
    const shown = redact(text)
    t.notMatch(shown, /hunter2|aHVudGVy|wJalr/, `${text} → ${shown}`)
    t.match(shown, '***')
  }
})

t.test('what is no secret stays, so that messages can be read', async (t) => {
  for (const text of [
    'connect ECONNREFUSED 127.0.0.1:9000',
    'http://localhost:8080/path?x=1 answered 503',
    'ENOENT: no such file or directory, open /srv/data/Logs/2026/11/29/Some-Long_Name.ndjson',
    'the record is not JSON: Unexpected token } at 12',
    'batch: maxBytes must be a whole number of bytes, at least 1, but came as 0',
    'commit da39a3ee5e6b4b0d3255bfef95601890afd80709',
    'the partition key of the record is missing: customer',
    '/Users/Someone/Projects/hosepipe/x/d1/abcd',
  ]) {
    t.equal(redact(text), text)
  }
})

t.test('the search is linear: a message may be a megabyte of anything', async (t) => {
  for (const text of [
    'a'.repeat(2 ** 20),
    '://'.repeat(2 ** 18),
    'token'.repeat(2 ** 17),
    '"'.repeat(2 ** 20),
    'eyJ'.repeat(2 ** 18),
  ]) {
    t.type(redact(text), 'string')
  }
})

t.test('an error of ours hides them, also in its causes and their members', async (t) => {
  const cause = Object.assign(new RangeError('fetch of https://me:hunter2@example.com failed'), {
    code: 'EX',
    options: { headers: { 'x-api-key': 'hunter2', authorization: 'Splunk hunter2' } },
    cause: new Error('password=hunter2'),
  })
  const error = new HosepipeError('Delivery.Failed', 'password=hunter2', { cause })
  t.equal(error.message, 'password=***')
  t.type(error.cause, RangeError)
  t.match(error.cause, { code: 'EX', message: 'fetch of https://***@example.com failed' }, 'for programs')
  const aborted = new HosepipeError('Delivery.Failed', 'x', {
    cause: new DOMException('password=hunter2', 'AbortError'),
  })
  t.match(aborted.cause, { name: 'AbortError', message: 'password=***' })
  t.notMatch(inspect(aborted), 'hunter2')
  const odd = Object.defineProperty(new Error('token=hunter2'), 'body', {
    enumerable: true,
    get() {
      throw new Error('not now')
    },
  })
  t.match(new HosepipeError('Delivery.Failed', 'x', { cause: odd }).cause, { message: 'token=***' })
  const harmless = new Error('nothing to hide')
  t.equal(new HosepipeError('Delivery.Failed', 'x', { cause: harmless }).cause, harmless)
  for (const shown of [
    inspect(error),
    inspect(error, { colors: true }),
    inspect({ deep: { error } }),
    String(error.stack),
  ]) {
    t.notMatch(shown, 'hunter2')
    t.match(shown, 'HosepipeError')
  }
  t.match(inspect(error), /Delivery\.Failed[\s\S]*fetch of/, 'code and cause are there')
})

t.test('the error of a stream, uncaught, hides them too', async (t) => {
  const dir = t.testdir()
  const script = join(dir, 'uncaught.mjs')
  writeFileSync(
    script,
    `import { deliver } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, '../src/index.ts')).href)}
const end = deliver(async () => { throw Object.assign(new Error('password=hunter2'), { retryable: false, token: 'hunter2' }) })
end.end('x')`,
  )
  const { stderr, status } = spawnSync(process.execPath, [...process.execArgv, script], { encoding: 'utf8' })
  t.equal(status, 1)
  t.match(stderr, /Delivery|Backup/)
  t.notMatch(stderr, 'hunter2')
})

t.test('a message is cut when the secrets are out of it', async (t) => {
  const backup = memory({ name: 'backup' })
  const send = async (): Promise<void> => {
    throw Object.assign(new Error(`${'x'.repeat(8184)} password=hunter2`), { retryable: false })
  }
  const end = deliver(send, { backup })
  end.end('1')
  await new Promise((resolve) => end.on('finish', resolve))
  t.notMatch(String(backup.records()[0]), 'hunter2')
})

t.test('the value of a secret option is not shown where it is wrong', async (t) => {
  const fields: Fields<{ token: number }> = { token: whole('tokens') }
  t.throws(() => checkOptions('mine', { token: 'hunter2' }, fields), {
    message: 'mine: token must be a whole number of tokens, at least 1, but came as a secret string',
  })
})

t.test('the command line hides what stands in addresses and in errors', async (t) => {
  const { hosepipe, folder } = program(t.testdir())
  const dir = folder(t, { 'in.ndjson': '1\n', 'bad.mjs': "throw new Error('password=hunter2')" })
  const addresses = ['s3://KEY:abc/hunter2@bucket', 's3://KEY:hunter2@bucket/prefix', 'https://me:hunter2@example.com/']
  for (const to of addresses) {
    const { code, stderr } = await hosepipe(dir, '', 'in.ndjson', '--to', to)
    t.equal(code, 1)
    t.notMatch(stderr, 'hunter2', to)
    if (to.startsWith('s3')) t.match(stderr, /an address has no account; credentials come from/)
  }
  const { stderr } = await hosepipe(dir, '', 'in.ndjson', '--to', 'out', '--transform', 'bad.mjs')
  t.match(stderr, 'password=***')
})
