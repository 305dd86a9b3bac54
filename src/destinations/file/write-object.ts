/**
 * A file appears whole or not at all:
 *
 *     make the folder → open .name.….tmp in it → write → fsync → close → rename to name → fsync the folder
 *
 * A crash before the rename leaves a hidden file that readers skip; after it, the whole file.
 */
import { basename, dirname, join } from 'node:path'
import { codeOf, toError } from '../../errors.ts'
import type { FileSystem, OpenFile } from './file-system.ts'
import { type Folders, syncFolder } from './folders.ts'
import { temporaryName } from './temporary.ts'

/** Buffers in one call: `IOV_MAX` of Linux and macOS. */
const maxBuffers = 1024

/** What is to be written, and how. */
export interface ObjectWrite {
  readonly fs: FileSystem
  readonly folders: Folders
  /** Absolute; a file that is there is replaced. */
  readonly path: string
  readonly parts: readonly Uint8Array[]
  readonly fsync: boolean
  readonly signal: AbortSignal
}

/** Writes one file. When it rejects before the rename it has removed its temporary file, if the file system let it. */
export async function writeObject(write: ObjectWrite): Promise<void> {
  const { fs, path, fsync, signal } = write
  signal.throwIfAborted()
  const folder = dirname(path)
  const temporary = join(folder, temporaryName(basename(path)))
  const file = await openNew(write, folder, temporary)
  try {
    await fill(file, write)
    signal.throwIfAborted()
    await fs.rename(temporary, path)
  } catch (error) {
    // The first error is the one that tells what happened; a temporary file that stays is hidden, and harmless.
    await fs.unlink(temporary).catch(() => undefined)
    throw error
  }
  if (fsync) await syncFolder(fs, folder)
}

/** Opens a file in a folder that is made first; again, if a folder that was made before has been deleted. */
async function openNew({ fs, folders, signal }: ObjectWrite, folder: string, path: string): Promise<OpenFile> {
  const open = async (): Promise<OpenFile> => {
    await folders.make(folder)
    signal.throwIfAborted()
    return fs.open(path, 'wx')
  }
  try {
    return await open()
  } catch (error) {
    if (codeOf(toError(error), 'Delivery.Failed') !== 'ENOENT') throw error
    folders.forget()
    return open()
  }
}

async function fill(file: OpenFile, { parts, fsync, signal }: ObjectWrite): Promise<void> {
  try {
    await writeAll(file, parts, signal)
    signal.throwIfAborted()
    if (fsync) await file.sync()
  } catch (error) {
    // As above: what went wrong first is what counts, and the file is removed.
    await file.close().catch(() => undefined)
    throw error
  }
  await file.close()
}

/** Writes all parts in order, however little of them a call takes. */
async function writeAll(file: OpenFile, parts: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
  const filled = parts.filter((part) => part.length > 0)
  let [next, skip] = [0, 0]
  while (next < filled.length) {
    signal.throwIfAborted()
    const buffers = filled.slice(next, next + maxBuffers)
    const [first] = buffers
    if (first !== undefined && skip > 0) buffers[0] = first.subarray(skip)
    const { bytesWritten } = await file.writev(buffers)
    if (bytesWritten === 0) throw new Error('the file system wrote nothing, and gave no error')
    skip += bytesWritten
    for (let part = filled[next]; part !== undefined && skip >= part.length; part = filled[next]) {
      skip -= part.length
      next += 1
    }
  }
}
