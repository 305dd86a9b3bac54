// Builds dist: few large files, which load several times as fast as one for each of the source; and declarations, as few.
//
//     node scripts/build.js [--only-code] [--to FOLDER]      default: dist
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'

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
if (!values['only-code']) await declare()

/** Writes the declarations of what is exported: one file for each, and some that they share. */
async function declare() {
  const folder = mkdtempSync(join(tmpdir(), 'hosepipe-types-'))
  try {
    execFileSync('npx', ['--no-install', 'tsc', '-p', 'tsconfig.build.json', '--outDir', folder], { stdio: 'inherit' })
    const names = Object.values(exported).flatMap(({ types }) => types?.replace(/^\.\/dist\/|\.d\.ts$/g, '') ?? [])
    const input = Object.fromEntries(names.map((name) => [name, join(folder, `${name}.d.ts`)]))
    const bundle = await rollup({ input, plugins: [dts()], external: (id) => !/^[./]|^[A-Z]:/.test(id) })
    await bundle.write({
      dir: values.to,
      format: 'es',
      entryFileNames: '[name].d.ts',
      chunkFileNames: 'types-[hash].d.ts',
    })
    await bundle.close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
