import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, OptionError } from '../errors.ts'

/**
 * The URL of a module that a user has given by URL or path.
 *
 * @param name - The stage that was given it.
 * @throws OptionError when it is not a file that exists
 */
export function moduleUrl(name: string, module: URL | string): URL {
  const url =
    typeof module === 'string' && !module.startsWith('file:') ? pathToFileURL(resolve(module)) : new URL(module)
  if (url.protocol !== 'file:') {
    throw new OptionError(name, `${name}: a module must be a file: URL or a path, but came as ${describe(url.href)}`)
  }
  const path = fileURLToPath(url)
  if (!existsSync(path)) throw new OptionError(name, `${name}: there is no module ${path}`)
  return url
}
