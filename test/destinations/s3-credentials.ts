/** What `s3()` says of its surroundings before anything is sent, and credentials that change while it runs. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { S3Client } from '@aws-sdk/client-s3'
import t from 'tap'
import { s3 } from '../../src/destinations/s3/index.ts'
import { checkClient } from '../../src/destinations/s3/own-client.ts'
import { batch, deliver } from '../../src/index.ts'

const names = [
  'AWS_REGION',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_PROFILE',
  'AWS_ENDPOINT_URL_S3',
]
const dir = t.testdir({ nothing: '' })
const before = Object.fromEntries(names.map((name) => [name, process.env[name]]))

t.beforeEach(() => {
  for (const name of names) delete process.env[name]
  process.env.AWS_EC2_METADATA_DISABLED = 'true'
  process.env.AWS_CONFIG_FILE = join(dir, 'nothing')
  process.env.AWS_SHARED_CREDENTIALS_FILE = join(dir, 'nothing')
})
t.teardown(() => {
  for (const [name, value] of Object.entries(before)) if (value !== undefined) process.env[name] = value
})

const open = async (): Promise<void> => s3({ bucket: 'lake' }).open?.()

t.test('what is missing is told before anything is sent', async (t) => {
  await t.rejects(open(), { code: 'Options.Invalid', message: /^s3: there is no region: set AWS_REGION/ })
  process.env.AWS_REGION = 'eu-central-1'
  await t.rejects(open(), { message: /^s3: there are no credentials, or they cannot be loaded: AWS_ACCESS_KEY_ID/ })
  process.env.AWS_ACCESS_KEY_ID = 'key'
  process.env.AWS_SECRET_ACCESS_KEY = 'hunter2'
  await open()
  process.env.AWS_ENDPOINT_URL_S3 = 'http://no-such-host.invalid:9000'
  const client = new S3Client({})
  const failing = (code: string) => () => Promise.reject(Object.assign(new Error(`getaddrinfo ${code}`), { code }))
  await t.rejects(checkClient(client, failing('ENOTFOUND')), {
    message: 's3: there is no host no-such-host.invalid, which the endpoint names',
  })
  await checkClient(client, failing('EAI_AGAIN'))
  process.env.AWS_ENDPOINT_URL_S3 = 'not a URL'
  await t.rejects(open(), { message: /^s3: the endpoint in AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL is no URL$/ })
  process.env.AWS_ENDPOINT_URL_S3 = 'http://127.0.0.1:1'
  await open()
  const end = deliver(s3({ bucket: 'lake' }))
  delete process.env.AWS_REGION
  await t.rejects(pipeline([{ a: 1 }], batch(), deliver(s3({ bucket: 'lake' }))), {
    message: /^deliver\.to cannot be used: s3: there is no region/,
  })
  end.destroy()
})

t.test('credentials that are refused are read again, from a file that has changed', async (t) => {
  const write = (key: string): void => {
    writeFileSync(join(dir, 'credentials'), `[default]\naws_access_key_id=${key}\naws_secret_access_key=hunter2\n`)
  }
  const seen: string[] = []
  const server = createServer((request, response) => {
    const key = /Credential=(\w+)/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    seen.push(key)
    request.resume().on('end', () => {
      if (key === 'NEW') {
        response.setHeader('ETag', '"0"').end()
        return
      }
      write('NEW')
      response.writeHead(403, { 'content-type': 'application/xml' })
      response.end('<Error><Code>InvalidAccessKeyId</Code><Message>no</Message></Error>')
    })
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  write('OLD')
  process.env.AWS_REGION = 'eu-central-1'
  process.env.AWS_SHARED_CREDENTIALS_FILE = join(dir, 'credentials')
  process.env.AWS_ENDPOINT_URL_S3 = `http://127.0.0.1:${port}`
  const end = deliver(s3({ bucket: 'lake' }), { retry: { minDelay: 1 } })
  await pipeline([{ a: 1 }], batch(), end)
  t.same(seen, ['OLD', 'NEW'])
  t.match(end.stats(), { delivered: 1, retries: 1, byCode: { 'S3.InvalidAccessKeyId': { retries: 1, records: 0 } } })
})
