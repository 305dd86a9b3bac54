import * as promises from 'node:fs/promises'

/** The calls that {@link file} makes, so that a test can let any of them fail. They behave as those of `node:fs/promises`. */
export interface FileSystem {
  /** Makes one folder, whose parent is there. */
  mkdir(path: string): Promise<unknown>
  /** Opens a new file (`wx`), or a folder (`r`) to sync it. */
  open(path: string, flags: 'wx' | 'r'): Promise<OpenFile>
  /** Gives a file its name, in one step; a file of that name is replaced. */
  rename(from: string, to: string): Promise<void>
  /** Removes a file. */
  unlink(path: string): Promise<void>
}

/** What {@link FileSystem.open} gives. */
export interface OpenFile {
  /** Writes at the end; it may write less than all. */
  writev(buffers: readonly Uint8Array[]): Promise<{ readonly bytesWritten: number }>
  /** Waits until what was written is on the disk. */
  sync(): Promise<void>
  /** Closes it. */
  close(): Promise<void>
}

/** The machine's own file system. */
export const systemFiles: FileSystem = promises
