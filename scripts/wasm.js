/** `npm run wasm` compiles `src/memory/wasm-program.wat` into the module that carries it; a test holds that they are the same. */
import { readFile, writeFile } from 'node:fs/promises'
import wabt from 'wabt'

const source = new URL('../src/memory/wasm-program.wat', import.meta.url)
const target = new URL('../src/memory/wasm-program.ts', import.meta.url)

const { parseWat } = await wabt()
const program = parseWat('wasm-program.wat', await readFile(source, 'utf8'), { simd: true })
program.validate()
const base64 = Buffer.from(program.toBinary({}).buffer).toString('base64')
const lines = base64.match(/.{1,110}/g).map((line) => `  '${line}'`)
const text = `/** Made of wasm-program.wat by \`npm run wasm\`. */\nexport const wasm =\n${lines.join(' +\n')}\n`
if (process.argv.includes('--print')) process.stdout.write(text)
else await writeFile(target, text)
