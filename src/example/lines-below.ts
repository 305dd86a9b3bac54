import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { readBackupRecord } from '../index.ts'

/** A folder of objects, and what was found when they were read again. */
export interface Found {
  readonly dir: string
  readonly objects: number
  readonly records: number
  /** The path of one of them, below the folder. */
  readonly first: string | undefined
}

const newline = 10

/** Counts the objects below a folder, and their lines; an object whose name ends in `.gz` is unpacked. */
export async function linesBelow(dir: string): Promise<Found> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  let records = 0
  for (const { parentPath, name } of files) records += await linesOf(join(parentPath, name))
  const [first] = files.map(({ parentPath, name }) => relative(dir, join(parentPath, name)))
  return { dir, objects: files.length, records, first }
}

/** The first record of a backup, decoded. */
export async function firstBackupRecord({ dir, first }: Found) {
  if (first === undefined) return undefined
  const [line = ''] = (await readFile(join(dir, first), 'utf8')).split('\n')
  return readBackupRecord(line)
}

async function linesOf(path: string): Promise<number> {
  let count = 0
  const unpack = path.endsWith('.gz') ? createGunzip() : new PassThrough()
  await pipeline(createReadStream(path), unpack, async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, at + 1)) count += 1
    }
  })
  return count
}
