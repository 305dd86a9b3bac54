import { type Gathering, WasmMemory } from '../../memory/wasm-memory.ts'
import type { Records } from '../../records/records.ts'
import { LocalGathering } from './local-gathering.ts'

/** Those with which somebody is at work: whoever takes a batch may add its records to another one before a run is done. */
const atWork = new WeakSet<Gathering>()

/**
 * Does some work with what can gather so many pieces of a run: the memory of WebAssembly that the chunk stands in, or ordinary memory.
 *
 * @param work - Is given `undefined` where records cannot be gathered: they have newlines in them, or go back to several receipts, so
 *   that nobody could tell them apart again; or somebody is at work with it.
 */
export function whileGathering<Result>(
  { isLines, receipt, bytes }: Records,
  pieces: number,
  work: (gathering: Gathering | undefined) => Result,
): Result {
  if (!isLines || receipt.only === undefined) return work(undefined)
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
