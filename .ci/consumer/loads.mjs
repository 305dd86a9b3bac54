// What an import loads: a destination's libraries must not come with `hosepipe` itself. A process for each export path.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'

// `bytes` and `ms` read sizes and durations that are written as text.
const base = ['bytes', 'fastest-levenshtein', 'hosepipe', 'ms', 'split2']
const allowed = {
  hosepipe: base,
  'hosepipe/memory': base,
  'hosepipe/file': base,
  'hosepipe/http': [...base, 'undici'],
  'hosepipe/delivery-stream': base,
  'hosepipe/direct-put': base,
  'hosepipe/http-server': base,
  // The SDK is loaded with the first invocation, piscina with the first thread.
  'hosepipe/lambda': base,
  'hosepipe/blueprints': base,
  // jq itself is loaded by jqWeb().
  'hosepipe/jq': base,
  'hosepipe/opensearch': [...base, 'undici'],
  // pg and the Data API's client are loaded with the first statement.
  'hosepipe/redshift': [...base, '@aws-sdk/', '@smithy/', '@aws-crypto/', '@aws/', 'buffer', 'tslib', 'bowser'],
  'hosepipe/splunk': [...base, 'undici'],
  // The writer is loaded with the first batch.
  'hosepipe/parquet': base,
  'hosepipe/csv': [...base, 'csv-parse', 'csv-stringify'],
  // The SDK brings many packages, all of which are in a few scopes.
  'hosepipe/kinesis': [...base, '@aws-sdk/', '@smithy/', '@aws-crypto/', '@aws/', 'buffer', 'tslib', 'bowser'],
  // The client brings what it reads schemas and logs with.
  'hosepipe/kafka': [
    ...base,
    ...['@platformatic/', '@node-rs/', 'ajv', 'avsc', 'debug', 'fast-deep-equal', 'fast-uri', 'fastq', 'has-flag'],
    ...['json-schema-traverse', 'mnemonist', 'obliterator', 'reusify', 'scule', 'supports-color'],
  ],
  'hosepipe/s3': [...base, '@aws-sdk/', '@smithy/', '@aws-crypto/', '@aws/', 'buffer', 'tslib', 'bowser'],
}

const { exports } = createRequire(import.meta.url)('hosepipe/package.json')
const paths = Object.keys(exports).filter((path) => !path.endsWith('.json'))
assert.deepEqual(
  paths.map((path) => path.replace('.', 'hosepipe')).sort(),
  Object.keys(allowed).sort(),
  'every export path has a list of what it may load',
)

for (const [path, packages] of Object.entries(allowed)) {
  const { packages: loaded, files } = JSON.parse(
    execFileSync(process.execPath, ['loaded.mjs', path], { encoding: 'utf8' }),
  )
  assert.ok(loaded.includes('hosepipe'), `${path} loads hosepipe`)
  const isAllowed = (name) => packages.some((one) => (one.endsWith('/') ? name.startsWith(one) : name === one))
  const others = loaded.filter((name) => !isAllowed(name))
  // Each file takes time to be found, read and compiled.
  assert.ok(files <= 12, `${path} loads ${files} files of hosepipe, and not more than 12`)
  assert.deepEqual(others, [], `${path} loads nothing but ${packages.join(', ')}`)
}
