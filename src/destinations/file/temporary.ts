/**
 * The hidden files that are written before they get their names, and what killed processes have left of them:
 *
 *     .<name>.<machine>-<process>-<random>.tmp
 */
import { createHash, randomBytes } from 'node:crypto'
import { readdir, stat, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { codeOf, toError } from '../../errors.ts'
import { cut, maxNameBytes } from './path-limits.ts'

const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 8)
const pattern = /^\..+\.([0-9a-f]{8})-(\d{1,10})-[0-9a-f]{12}\.tmp$/

/** How much longer than a name its temporary one may be: process ids have up to ten digits. */
export const temporaryBytes = `..${machine}-4294967295-0123456789ab.tmp`.length

/** A hidden name, new each time, that fits where `name` fits. */
export function temporaryName(name: string): string {
  const ending = `.${machine}-${process.pid}-${randomBytes(6).toString('hex')}.tmp`
  return `.${cut(name, maxNameBytes - 1 - ending.length)}${ending}`
}

/** So many folders are looked into: those whose names come last, which are the newest where names begin with times. */
const maxFolders = 1000

/**
 * Removes the temporary files below a folder that processes of this machine have left which do not live any more.
 *
 * @param isAlive - Whether a process lives. Default: asks the system.
 * @returns How many were removed.
 */
export async function clearTemporary(dir: string, isAlive: (pid: number) => boolean = lives): Promise<number> {
  const folders = [dir]
  let removed = 0
  for (let looked = 0; looked < maxFolders; looked += 1) {
    const folder = folders.pop()
    if (folder === undefined) break
    // A folder that has gone, or that must not be read, has nothing to clear.
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
    for (const entry of entries.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) folders.push(path)
      else if (entry.isFile() && (await isLeft(path, entry.name, isAlive))) {
        await unlink(path).then(
          () => {
            removed += 1
          },
          // It stays hidden, and harmless.
          () => undefined,
        )
      }
    }
  }
  return removed
}

async function isLeft(path: string, name: string, isAlive: (pid: number) => boolean): Promise<boolean> {
  const [, of, pid] = pattern.exec(name) ?? []
  if (of !== machine || pid === undefined) return false
  if (Number(pid) !== process.pid) return !isAlive(Number(pid))
  // In a container each life has the same number: what is older than this one is not of it.
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && found.mtimeMs < performance.timeOrigin
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // `EPERM` is that of another user, and alive.
    return codeOf(toError(error), 'Delivery.Failed') !== 'ESRCH'
  }
}
