/** `npm run schema` writes the JSON schema of the command line's config, which is made from the tables that check the options. */
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { configSchema } from '../dist/cli/config-schema.js'

const target = new URL('../src/cli/config.schema.json', import.meta.url)
await writeFile(target, `${JSON.stringify(configSchema(), undefined, 2)}\n`)
const { status } = spawnSync('npx', ['--no-install', 'biome', 'format', '--write', fileURLToPath(target)], {
  stdio: 'inherit',
})
process.exitCode = status ?? 1
