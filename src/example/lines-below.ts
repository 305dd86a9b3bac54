import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'

const newline = 10

/** Counts the objects below a folder, and their lines; an object whose name ends in `.gz` is unpacked. */
export async function linesBelow(dir: string): Promise<{ dir: string; objects: number; records: number }> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  let records = 0
  for (const { parentPath, name } of files) records += await linesOf(join(parentPath, name))
  return { dir, objects: files.length, records }
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
