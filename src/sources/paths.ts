import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { OptionError } from '../errors.ts'

/**
 * The files that some paths mean, in order. A folder stands for all files below it, and a pattern (`logs/*.gz`) for those that it matches, in
 * the order of their names. A file that is really called so is no pattern.
 *
 * @param stands - Whether a path stands for something else, and is left as it is.
 * @throws OptionError for a folder without files, and a pattern that matches none.
 */
export async function expandPaths(
  paths: readonly string[],
  stands: (path: string) => boolean = () => false,
): Promise<string[]> {
  const all: (readonly string[])[] = []
  for (const path of paths) {
    const found = stands(path) ? undefined : await stat(path).catch(() => undefined)
    if (found?.isDirectory()) all.push(await filesIn(path))
    else if (found !== undefined || stands(path)) all.push([path])
    else all.push((await matching(path)) ?? [path])
  }
  return all.flat()
}

/** The files that a pattern matches; `undefined` for a path that is none. */
async function matching(pattern: string): Promise<string[] | undefined> {
  // Loaded where there may be a pattern: it takes time, and few need it.
  const { glob, isDynamicPattern } = await import('tinyglobby')
  if (!isDynamicPattern(pattern)) return undefined
  const matched = await glob(pattern, { onlyFiles: true, expandDirectories: false })
  if (matched.length === 0) throw new OptionError('source', `${pattern} matches no file`)
  return matched.sort()
}

async function filesIn(folder: string): Promise<string[]> {
  const files = await filesBelow([folder])
  if (files.length === 0) throw new OptionError('source', `${folder} has no files in it`)
  return files
}

/**
 * The files below some folders, in the order of their names; a path that is no folder is a file itself. Hidden ones are left out: they are
 * files that were not written to their end.
 *
 * @throws Error of the file system.
 */
export async function filesBelow(paths: readonly string[]): Promise<string[]> {
  const files: string[] = []
  for (const path of paths) {
    if (!(await stat(path)).isDirectory()) {
      files.push(path)
      continue
    }
    const entries = await readdir(path, { recursive: true, withFileTypes: true })
    const found = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    files.push(...found.map((entry) => join(entry.parentPath, entry.name)).sort())
  }
  return files
}
