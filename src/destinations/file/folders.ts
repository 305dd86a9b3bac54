import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { codeOf, OptionError, toError } from '../../errors.ts'
import type { FileSystem } from './file-system.ts'

/** Folders that are remembered; one that is forgotten costs one more call. */
const maxKnown = 4096

/** Waits until a folder's entries are on the disk. Windows cannot open a folder, and needs no such thing. */
export async function syncFolder(fs: FileSystem, path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await fs.open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Makes folders, each once, and remembers them. A write into a folder that is being made waits for it. */
export class Folders {
  readonly #fs: FileSystem
  readonly #root: string
  readonly #fsync: boolean
  readonly #known = new Map<string, Promise<void>>()

  /** @param root - The folder above which nothing is synced unless it was made here: its parents may not be readable. */
  constructor(fs: FileSystem, root: string, fsync: boolean) {
    this.#fs = fs
    this.#root = root
    this.#fsync = fsync
  }

  /** Makes a folder in the root, and all above it; they are on the disk when the promise resolves. */
  make(path: string): Promise<void> {
    const known = this.#known.get(path)
    if (known !== undefined) return known
    const made = path === this.#root ? this.#makeRoot(path) : this.#makeInside(path)
    this.#known.set(path, made)
    made.catch(() => {
      if (this.#known.get(path) === made) this.#known.delete(path)
    })
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= maxKnown) break
      this.#known.delete(oldest)
    }
    return made
  }

  /** Forgets which folders were made, because one of them has been deleted. */
  forget(): void {
    this.#known.clear()
  }

  async #makeInside(path: string): Promise<void> {
    const parent = dirname(path)
    await this.make(parent)
    await this.#mkdir(path)
    // Also if it was there: a process that crashed may have made it without syncing.
    if (this.#fsync) await syncFolder(this.#fs, parent)
  }

  async #makeRoot(path: string): Promise<void> {
    const parent = dirname(path)
    let made: boolean
    try {
      made = await this.#mkdir(path)
    } catch (error) {
      if (codeOf(toError(error), 'Delivery.Failed') !== 'ENOENT' || parent === path) throw error
      await this.#makeRoot(parent)
      made = await this.#mkdir(path)
    }
    if (made && this.#fsync) await syncFolder(this.#fs, parent)
  }

  async #mkdir(path: string): Promise<boolean> {
    try {
      await this.#fs.mkdir(path)
      return true
    } catch (error) {
      if (codeOf(toError(error), 'Delivery.Failed') === 'EEXIST') return false
      throw error
    }
  }
}

/**
 * Looks whether a folder is there or can be made, and can be written to.
 *
 * @throws OptionError that says what is in the way.
 */
export async function checkFolder(dir: string): Promise<void> {
  for (let at = dir; ; at = dirname(at)) {
    try {
      if (!(await stat(at)).isDirectory()) throw new OptionError('file.dir', `file: ${at} is no folder`)
      await access(at, constants.W_OK | constants.X_OK)
      return
    } catch (error) {
      const code = codeOf(toError(error), 'Options.Invalid')
      if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') {
        throw new OptionError('file.dir', `file: nothing can be written to the folder ${at}: ${code}`)
      }
      const isMissing = code === 'ENOENT' || code === 'ENOTDIR'
      if (!isMissing || at === dirname(at)) throw error
    }
  }
}
