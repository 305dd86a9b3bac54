import { type Gathering, WasmMemory } from '../../memory/wasm-memory.ts'
import type { Records } from '../../records/records.ts'
import { LocalGathering } from './local-gathering.ts'

/** The gatherings in use: the consumer of a batch may add its records to another batcher before this run is done. */
const atWork = new WeakSet<Gathering>()

/**
 * Does some work with what can gather so many pieces of a run: the memory of WebAssembly that the chunk stands in, or ordinary memory.
 *
 * @param work - Is given `undefined` where records cannot be gathered: they have newlines in them, go back to several receipts or have metadata, so
 *   that they could not be told apart again; or the gathering is in use.
 */
export function whileGathering<Result>(
  { isLines, receipt, bytes, metadata }: Records,
  pieces: number,
  work: (gathering: Gathering | undefined) => Result,
): Result {
  if (!isLines || receipt.only === undefined || metadata !== undefined) return work(undefined)
  const wasm = WasmMemory.of(bytes)
  const gathering = wasm !== undefined && pieces <= wasm.starts.length ? wasm : LocalGathering.shared()
  if (atWork.has(gathering)) return work(undefined)
  atWork.add(gathering)
  try {
    if (gathering instanceof LocalGathering) gathering.makeRoom(pieces)
    return work(gathering)
  } finally {
    atWork.delete(gathering)
  }
}
