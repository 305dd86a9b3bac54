/**
 * Where the files of this package are that are not imported but run, or read. They stand below this file, as they are written and as they are
 * built: the build keeps this file at the top.
 */
import { extname } from 'node:path'
import { HosepipeError } from './errors.ts'

/** The files that run in threads. */
export type ThreadFile =
  | 'cli/busy-worker'
  | 'encode/parquet/group-worker'
  | 'split/pattern-worker'
  | 'transform/lambda/handler-worker'
  | 'transform/threads/worker'

/**
 * The file that runs in a thread. It has the ending that this one has: `.ts` as it is written, `.js` as it is built.
 *
 * @throws HosepipeError `Transform.NoThreads` in a bundle that has no `import.meta.url`, as those in CommonJS.
 */
export function threadFile(name: ThreadFile): URL {
  const here: unknown = import.meta.url
  if (typeof here !== 'string') {
    throw new HosepipeError(
      'Transform.NoThreads',
      `the file of a thread, ${name}.js, cannot be found from a bundle in CommonJS: leave hosepipe out of the bundle, as an external package`,
    )
  }
  return new URL(`./${name}${extname(here)}`, here)
}

/**
 * The file that piscina loads in its threads. It calls `require` first, and Node 20 ends the whole process where a thread is stopped while it requires a module:
 * as it is built, a file in CommonJS stands before the module and imports it.
 *
 * @throws HosepipeError `Transform.NoThreads` as {@link threadFile} does.
 */
export function pooledFile(name: Extract<ThreadFile, `transform/${string}`>): URL {
  const file = threadFile(name)
  return extname(file.pathname) === '.js' ? new URL(file.href.replace(/js$/, 'cjs')) : file
}

/** The manifest of the package. */
export const manifestFile = (): URL => new URL('../package.json', import.meta.url)
