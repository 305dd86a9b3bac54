/** Where ways write: a new folder for each pass, in the system's folder for such. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Makes a folder for a pass. */
export function makeFolder() {
  return mkdtemp(join(tmpdir(), 'hosepipe-bench-'))
}

/** Removes it, with what was written. */
export async function removeFolder(folder) {
  await rm(folder, { recursive: true })
}
