/** `npm run schema` writes the JSON schemas of the command line's configs, which are made from the tables that check the options. */
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { configSchema } from '../dist/cli/config-schema.js'
import { serveSchema } from '../dist/cli/serve-schema.js'

for (const [name, schema] of Object.entries({ config: configSchema(), serve: serveSchema() })) {
  const target = new URL(`../src/cli/${name}.schema.json`, import.meta.url)
  await writeFile(target, `${JSON.stringify(schema, undefined, 2)}\n`)
  const { status } = spawnSync('npx', ['--no-install', 'biome', 'format', '--write', fileURLToPath(target)], {
    stdio: 'inherit',
  })
  if (status !== 0) process.exitCode = status ?? 1
}
