/**
 * Where the files of this package are that are not imported but run, or read. They stand below this file, as they are written and as they are
 * built: the build keeps this file at the top.
 */
import { extname } from 'node:path'
import { HosepipeError } from './errors.ts'

/** The files that run in threads. */
export type ThreadFile =
  | 'cli/busy-worker'
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

/** The manifest of the package. */
export const manifestFile = (): URL => new URL('../package.json', import.meta.url)
