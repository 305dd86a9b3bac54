// Builds dist: few large files, which load several times as fast as one for each of the source; and declarations.
//
//     node scripts/build.js [--only-code] [--to FOLDER]      default: dist
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'

const { values } = parseArgs({ options: { 'only-code': { type: 'boolean' }, to: { type: 'string', default: 'dist' } } })

const { exports: exported, bin } = JSON.parse(readFileSync('package.json', 'utf8'))
const targets = [...Object.values(exported).map((target) => target.default), ...Object.values(bin)]
const sources = targets.filter(Boolean).map((path) => path.replace(/^(?:\.\/)?dist\//, 'src/').replace(/js$/, 'ts'))

const common = {
  outdir: values.to,
  outbase: 'src',
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  sourcesContent: true,
  logLevel: 'warning',
}

rmSync(values.to, { recursive: true, force: true })
// What users import. The file that finds others has to stand at the top, where shared code stands.
await build({ ...common, entryPoints: [...sources, 'src/own-files.ts'], splitting: true })
// What runs by itself shares nothing: more shared code would be more files to load for users.
await build({
  ...common,
  entryPoints: ['src/cli/busy-worker.ts', 'src/split/pattern-worker.ts', 'src/transform/threads/worker.ts'],
})
// For this repository alone; not in the package.
await build({ ...common, entryPoints: ['src/cli/config-schema.ts', 'src/example/main.ts'] })
if (!values['only-code']) {
  execFileSync('npx', ['--no-install', 'tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
}
