import { type Gathering, WasmMemory } from '../../memory/wasm-memory.ts'
import type { Records } from '../../records/records.ts'
import { LocalGathering } from './local-gathering.ts'

/**
 * Takes what can gather so many pieces of a run; whoever takes it sets `isTaken` to `false` when it is done. Records that have
 * newlines in them, or go back to several receipts, are not gathered: nobody could tell them apart again.
 */
export function takeGathering({ isLines, receipt, bytes }: Records, pieces: number): Gathering | undefined {
  if (!isLines || receipt.only === undefined) return undefined
  const wasm = WasmMemory.of(bytes)
  const gathering = wasm !== undefined && pieces <= wasm.starts.length ? wasm : LocalGathering.for(pieces)
  // Whoever takes a batch may add its records to another one before this run is done.
  if (gathering.isTaken) return undefined
  gathering.isTaken = true
  return gathering
}
