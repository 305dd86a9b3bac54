// Without any package beside it hosepipe does all that needs none: the command line, and every export but those of other systems.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const { exports, version, peerDependencies } = createRequire(import.meta.url)('hosepipe/package.json')
for (const peer of Object.keys(peerDependencies)) {
  if (peer === '@types/node') continue
  assert.throws(() => import.meta.resolve(peer), { code: 'ERR_MODULE_NOT_FOUND' }, `${peer} is not there`)
}
const needy = ['./s3', './csv', './kinesis', './kafka', './redshift']
for (const path of Object.keys(exports)) {
  if (!path.endsWith('.json') && !needy.includes(path)) await import(path.replace('.', 'hosepipe'))
}
const hosepipe = (...args) => execFileSync('npx', ['--no-install', 'hosepipe', ...args], { encoding: 'utf8' })
assert.match(hosepipe('--help'), /^Usage: hosepipe/)
assert.equal(hosepipe('--version').trim(), version)
writeFileSync('in.ndjson', '{"a":1}\n{"a":2}\n')
hosepipe('in.ndjson', '--to', './out', '--where', 'a > 1', '--gzip=1', '--report=none')
assert.equal(hosepipe('in.ndjson', '--to', '-', '--set', 'b=x', '--report=none'), '{"a":1,"b":"x"}\n{"a":2,"b":"x"}\n')
assert.equal(readdirSync('out', { recursive: true }).filter((name) => name.endsWith('.gz')).length, 1)
assert.match(hosepipe('check', '--to', './out'), /out/)
