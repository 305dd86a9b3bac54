/** Inputs that are in memory before a way begins. */
import { readFile } from 'node:fs/promises'

/**
 * Makes a stage's `prepare`: what `make` makes of each line of a file, kept from pass to pass.
 *
 * @param {(line: string) => unknown} make
 */
export function preparedLines(make) {
  const prepared = {}
  return async (file) => {
    prepared[file] ??= (await readFile(file, 'utf8')).trimEnd().split('\n').map(make)
    return prepared[file]
  }
}
