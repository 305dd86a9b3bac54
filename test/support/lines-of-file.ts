/** Reads a file into memory that comes round again, and says whether its lines have arrived. */
import { readFileSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { batch, deliver, lines, source, split } from '../../src/index.ts'
import { WasmMemory } from '../../src/memory/wasm-memory.ts'

const [path = ''] = process.argv.slice(2)
const bodies: Buffer[] = []
const end = deliver(
  async ({ body }) => {
    for (const part of [body].flat()) bodies.push(Buffer.from(part))
  },
  { concurrency: 1 },
)
await pipeline(source(path, { readBytes: 1024 * 1024, reuse: true }), split(lines()), batch({ maxBytes: 100_000 }), end)
const { pending, delivered } = end.stats()
const same = Buffer.concat(bodies).equals(readFileSync(path))
console.log(JSON.stringify({ hasWasm: WasmMemory.make(1) !== undefined, pending, delivered, same }))
