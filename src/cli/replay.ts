import { relative, resolve } from 'node:path'
import { replayThroughFunctions } from '../deliver/backup/backup-record.ts'
import { lines, replay as readBack, transform } from '../index.ts'
import { parseAddress } from './destinations/address.ts'
import type { Setup } from './setup.ts'
import { UsageError } from './usage-error.ts'

/**
 * Refuses a destination inside of what is replayed: afterwards the files that were sent again could not be told from those that failed again.
 *
 * @throws UsageError
 */
export function refuseInside(paths: readonly string[], name: string, url: unknown): void {
  if (typeof url !== 'string' || url === 'discard') return
  const { scheme, rest } = parseAddress(url)
  if (scheme !== 'file:') return
  for (const path of paths) {
    const way = relative(resolve(path), resolve(rest))
    if (way === '' || !(way.startsWith('..') || resolve(way) === way)) {
      throw new UsageError(`${name} must be another folder than ${path}, whose records are sent again`)
    }
  }
}

/** The same setup for backup records: the original records are read out of them first. */
export function forReplay(setup: Setup): Setup {
  const hasFunctions = setup.transforms.length > 0
  const make = () => transform(hasFunctions ? replayThroughFunctions() : readBack())
  const unpack = { name: 'replay', isOurs: true, isByValue: true, make }
  return { ...setup, splitter: lines(), transforms: [unpack, ...setup.transforms] }
}
