// Before `npm test`: has tap made without its own loader of TypeScript, which package.json leaves out. Tap would do it by itself, but only
// for the next run.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

const made = 'node_modules/@tapjs/test/test-built/dist/esm/index.js'
if (!existsSync(made) || readFileSync(made, 'utf8').includes('@tapjs/typescript')) {
  execFileSync('npx', ['--no-install', 'tap', 'build'], { stdio: ['ignore', 'ignore', 'inherit'] })
}
