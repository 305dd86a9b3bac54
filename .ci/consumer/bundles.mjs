// Bundles of esbuild do the same work: ESM and CommonJS, without externals, with no optional package installed but the SDK.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'

assert.ok(!existsSync('node_modules/piscina') && !existsSync('node_modules/@js-joda'), 'optional packages are not here')
writeFileSync(
  'bundled.mjs',
  `
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { batch, deliver, firehose, gzip, json, jsonValues, lines, separator, split, transform } from 'hosepipe'
import { file } from 'hosepipe/file'
import { memory } from 'hosepipe/memory'
import { s3 } from 'hosepipe/s3'

async function run() {
  const to = memory()
  const hose = firehose({ split: lines(), transform: json((event) => ({ ...event, seen: true })), to })
  await pipeline(Readable.from([Buffer.from('{"n":1}\\n')]), hose)
  const end = deliver(file({ dir: './bundled', prefix: '!{timestamp:yyyy/MM}/', compress: gzip() }))
  await pipeline(Readable.from([Buffer.from('[1,2]')]), split(jsonValues()), batch(), end)
  const refused = []
  for (const make of [
    () => transform('./none.mjs', { threads: 1 }),
    () => file({ dir: '.', prefix: '!{timestamp:ww}/' }),
    () => s3({ bucket: 'b', prefix: 'x y{' }),
  ]) {
    try {
      make()
    } catch (error) {
      refused.push(error.code)
    }
  }
  const selected = split(jsonValues({ select: /^a$/ }))
  await pipeline(Readable.from([Buffer.from('{"a":1}')]), selected, batch(), deliver(to))
  console.log(JSON.stringify([to.json(), end.stats().delivered, refused, typeof separator]))
}
run()
`,
)
for (const format of ['esm', 'cjs']) {
  const outfile = `bundle.${format === 'esm' ? 'mjs' : 'cjs'}`
  await build({
    entryPoints: ['bundled.mjs'],
    outfile,
    bundle: true,
    platform: 'node',
    format,
    logLevel: 'error',
    // What CommonJS needs that is bundled as ESM.
    ...(format === 'esm' && {
      banner: {
        js: "import { createRequire as toRequire } from 'node:module'; const require = toRequire(import.meta.url);",
      },
    }),
  })
  const said = JSON.parse(execFileSync(process.execPath, [outfile], { encoding: 'utf8' }))
  assert.deepEqual(said[0], [{ n: 1, seen: true }, 1], `${format}: records are delivered`)
  assert.equal(said[1], 2, format)
  assert.deepEqual(said[2].length, 3, `${format}: what is not installed is told: ${said[2]}`)
}
