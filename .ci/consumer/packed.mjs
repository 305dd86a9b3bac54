// What is in the tarball: everything that `exports` names, the papers, and nothing that only this repository needs.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const packed = new Set(readFileSync(process.argv[2], 'utf8').trim().split('\n'))
const { exports } = createRequire(import.meta.url)('hosepipe/package.json')
const targets = Object.values(exports).flatMap((target) =>
  typeof target === 'string' ? [target] : Object.values(target),
)
const pages = [
  'README.md',
  'CHANGELOG.md',
  'ARCHITECTURE.md',
  'LICENSE',
  'llms.txt',
  'src/cli/README.md',
  'recipes/README.md',
]
for (const target of [...targets, ...pages]) {
  assert.ok(packed.has(target.replace('./', '')), `${target} is in the tarball`)
}
const strays = [...packed].filter(
  (file) =>
    !/^(?:dist\/|src\/cli\/(?:config|serve)\.schema\.json$|src\/(?:.*\/)?README\.md$|recipes\/|llms\.txt$|package\.json$|[A-Z]+(?:\.md)?$)/.test(
      file,
    ) || /\bexample\//.test(file),
)
assert.deepEqual(strays, [], 'nothing else is in it')
