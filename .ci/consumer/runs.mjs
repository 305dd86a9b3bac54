// The package does its work where it is installed.
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { field, firehose, gzip, json, lines } from 'hosepipe'
import { file } from 'hosepipe/file'
import { memory } from 'hosepipe/memory'
import { redshift } from 'hosepipe/redshift'

const input = '{"customer":"a","n":1}\n{"customer":"b","n":2}\nnot JSON\n'
for (const to of [
  memory(),
  file({ dir: './out', prefix: '!{partitionKey:customer}/!{timestamp:EEE-dd}/', timeZone: 'Europe/Berlin' }),
]) {
  const backup = memory()
  const hose = firehose({
    split: lines(),
    transform: json((event) => event),
    batch: { key: field('customer') },
    compress: gzip(),
    to,
    backup,
  })
  await pipeline(Readable.from([Buffer.from(input)]), hose)
  const { delivered, backedUp, pending, requests } = hose.stats()
  assert.deepEqual({ delivered, backedUp, pending, requests }, { delivered: 2, backedUp: 1, pending: 0, requests: 2 })
  assert.equal(backup.records().length, 1)
}

// What it needs beside itself is told at once, and not looked for with every batch.
const table = { s3: { bucket: 'lake' }, table: 'events', iamRole: 'default' }
const connection = { host: '127.0.0.1', database: 'dev', user: 'loader' }
assert.throws(() => redshift({ ...table, connection }), /connection needs the package pg, which is not installed/)
const dataApi = { workgroupName: 'w', database: 'dev' }
assert.throws(
  () => redshift({ ...table, dataApi }),
  /dataApi needs the package @aws-sdk\/client-redshift-data, which is/,
)
