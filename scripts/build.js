// Builds dist: few large files, which load several times as fast as one for each of the source; and declarations, as few.
//
//     node scripts/build.js [--only-code] [--to FOLDER]      default: dist
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'

const { values } = parseArgs({ options: { 'only-code': { type: 'boolean' }, to: { type: 'string', default: 'dist' } } })

const { exports: exported, bin, peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
const peers = Object.keys(peerDependencies)
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

const work = mkdtempSync(join(tmpdir(), 'hosepipe-build-'))
/** Hands on the maps of what is read. */
const withMaps = {
  name: 'with-maps',
  load: (id) => ({ code: readFileSync(id, 'utf8'), map: JSON.parse(readFileSync(`${id}.map`, 'utf8')) }),
}

rmSync(values.to, { recursive: true, force: true })
try {
  // What users import. The file that finds others has to stand at the top, where shared code stands.
  const entryPoints = [...sources, 'src/own-files.ts']
  const isWhole = !values['only-code']
  await build({ ...common, entryPoints, splitting: true, outdir: isWhole ? join(work, 'code') : values.to })
  if (isWhole) await Promise.all([merge(join(work, 'code')), declare(join(work, 'types'))])
} finally {
  rmSync(work, { recursive: true, force: true })
}
// What runs by itself shares nothing: more shared code would be more files to load for users.
await build({
  ...common,
  entryPoints: [
    'src/cli/busy-worker.ts',
    'src/encode/parquet/group-worker.ts',
    'src/split/pattern-worker.ts',
    'src/transform/lambda/handler-worker.ts',
    'src/transform/threads/worker.ts',
  ],
})
// What piscina loads: see `pooledFile` in src/own-files.ts.
for (const name of ['transform/lambda/handler-worker', 'transform/threads/worker']) {
  writeFileSync(
    join(values.to, `${name}.cjs`),
    `exports.run = import('./${basename(name)}.js').then(({ run }) => run)\n`,
  )
}
// For this repository alone; not in the package.
await build({ ...common, entryPoints: ['src/cli/config-schema.ts', 'src/cli/serve-schema.ts', 'src/example/main.ts'] })
/**
 * Makes one file of all that `hosepipe` itself loads, and one of what several others share of a folder: esbuild splits them by who
 * needs which part, into files of a few hundred bytes.
 */
async function merge(folder) {
  const input = Object.fromEntries(
    targets.filter(Boolean).map((path) => [nameOf(path), join(folder, `${nameOf(path)}.js`)]),
  )
  const bundle = await rollup({ input, external, plugins: [withMaps], onwarn: refuse })
  let core
  await bundle.write({
    dir: values.to,
    format: 'es',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    // What a file loads of others is not to be seen in those that load it: they would load packages that they do not need.
    hoistTransitiveImports: false,
    manualChunks(id, { getModuleInfo }) {
      core ??= reachable(join(folder, 'index.js'), getModuleInfo)
      if (core.has(id)) return 'core'
      const isShared = basename(id).startsWith('chunk-') && !needsPeer(id, getModuleInfo)
      return isShared ? folderOf(id) : undefined
    },
  })
  await bundle.close()
}

/** What is only warned of is seen by nobody: a type, say, that users' declarations could not name. */
function refuse({ message }) {
  throw new Error(message)
}

/** Whether a file imports a package that users may not have: whoever needs another file of its folder must do without. */
function needsPeer(id, getModuleInfo) {
  return getModuleInfo(id)?.importedIds.some((one) => peers.some((peer) => one === peer || one.startsWith(`${peer}/`)))
}

/** The folder that holds all that went into a file, where it is not the top one: `transform/lambda`. */
function folderOf(id) {
  const { sources } = JSON.parse(readFileSync(`${id}.map`, 'utf8'))
  const folders = sources.map((path) => relative('src', dirname(resolve(dirname(id), path))).split(sep))
  const [first = [], ...others] = folders
  const length = first.findIndex((part, i) => others.some((other) => other[i] !== part))
  const shared = length < 0 ? first : first.slice(0, length)
  return shared.length > 1 ? shared.join('-') : undefined
}

function reachable(id, getModuleInfo, seen = new Set()) {
  if (seen.has(id)) return seen
  seen.add(id)
  for (const next of getModuleInfo(id)?.importedIds ?? []) if (!external(next)) reachable(next, getModuleInfo, seen)
  return seen
}

/** Writes the declarations of what is exported: one file for each, and some that they share. */
async function declare(folder) {
  execFileSync('npx', ['--no-install', 'tsc', '-p', 'tsconfig.build.json', '--outDir', folder], { stdio: 'inherit' })
  const names = Object.values(exported).flatMap(({ types }) => types ?? [])
  const input = Object.fromEntries(names.map((path) => [nameOf(path), join(folder, `${nameOf(path)}.d.ts`)]))
  const bundle = await rollup({ input, external, plugins: [dts()], onwarn: refuse })
  await bundle.write({
    dir: values.to,
    format: 'es',
    entryFileNames: '[name].d.ts',
    chunkFileNames: 'types-[hash].d.ts',
  })
  await bundle.close()
}

function external(id) {
  return !/^[./]|^[A-Z]:/.test(id)
}

function nameOf(path) {
  return path.replace(/^(?:\.\/)?dist\/|(?:\.d\.ts|\.js)$/g, '')
}
