/** The Firehose API as SDKs of other languages see it: Go and Python. `npm run test:services` says where they are. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import { concatenated, firehose } from '../../src/index.ts'
import { directPut } from '../../src/sources/direct-put/index.ts'
import { conserves } from '../support/conservation.ts'
import { root } from '../support/modules.ts'

const { FIREHOSE_GO: go, FIREHOSE_PYTHON: python } = process.env
const clients = [
  ...(go === undefined ? [] : [{ language: 'go', command: go, args: [] }]),
  ...(python === undefined
    ? []
    : [{ language: 'python', command: python, args: [join(root, 'test/services/firehose-clients/client.py')] }]),
]
const run = promisify(execFile)
const secretAccessKey = 'a secret/with+signs'

if (clients.length === 0) t.plan(0, 'there is neither FIREHOSE_GO nor FIREHOSE_PYTHON; see npm run test:services')

for (const { language, command, args } of clients) {
  t.test(`the SDK for ${language}`, async (t) => {
    const lake = memory()
    const hose = firehose({ encode: concatenated(), to: lake })
    const server = directPut({ port: 0, auth: { accessKeyId: 'AKID', secretAccessKey }, create: () => hose })
    const { stdout } = await run(command, [...args, String(await server.listening()), secretAccessKey])
    t.match(JSON.parse(stdout), {
      arn: `arn:aws:firehose:us-east-1:000000000000:deliverystream/${language}`,
      id: /^[0-9a-f-]{36}-0$/,
      failed: 0,
      status: 'ACTIVE',
      year: new Date().getUTCFullYear(),
      missing: true,
      another: /InvalidSignatureException/,
    })
    await server.close()
    await server.finished
    t.same(lake.records(), [Buffer.from([0, 255]), Buffer.from('a'), Buffer.from('b')])
    conserves(t, hose.stats())
  })
}
