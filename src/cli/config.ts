/** The config file: the options of `firehose()` as JSON, or as a module's default export. */
import { readFile } from 'node:fs/promises'
import { dirname, extname, resolve } from 'node:path'
import { describe } from '../errors.ts'
import { rebased } from './destinations/address.ts'
import { withEnvironment } from './environment.ts'
import { isInline } from './inline-function.ts'
import { functionKinds, loadDefault } from './load-module.ts'
import { UsageError, wordsOf } from './usage-error.ts'

/** Options by name as they were written; what is in them is looked at by `makeSetup`. */
export type Config = Readonly<Record<string, unknown>>

/**
 * Reads a config. Paths in it are meant from the folder that it is in, and come out absolute.
 *
 * @param path - A JSON file, or a module whose default export is an object.
 * @throws UsageError
 */
export async function readConfig(path: string): Promise<Config> {
  const config = extname(path).toLowerCase() === '.json' ? await readJson(path) : await loadDefault(path)
  if (!isObject(config)) throw new UsageError(`${path} must hold an object of options, but holds ${describe(config)}`)
  const folder = dirname(resolve(path))
  const { $schema: _, ...options } = config
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, withPaths(name, value, folder)]))
}

async function readJson(path: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new UsageError(`${path}: ${wordsOf(error).replace(`${path}: `, '')}`, { cause: error })
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw new UsageError(`${path} is not JSON: ${jsonProblem(wordsOf(error), text)}`)
  }
  return withEnvironment(path, parsed)
}

/** JSON.parse's own words, with line and column, and without the piece of the file that it shows: a secret may stand there. */
function jsonProblem(message: string, text: string): string {
  const words = message.replace(/, (?:\.\.\.)?".*" is not valid JSON$/s, '').replace(/ in JSON at position \d+.*$/s, '')
  const position = / at position (\d+)/.exec(message)?.[1]
  if (position === undefined) return words
  const lines = text.slice(0, Number(position)).split('\n')
  return `${words}, in line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`
}

const addresses: readonly string[] = ['to', 'backup', 'sourceBackup']
const functions: readonly string[] = [...functionKinds, 'lambda']
/** Options of destinations that may say in which file they stand. */
const secretOptions: readonly string[] = ['token', 'accessKey', 'headers', 'auth']

function withPaths(name: string, value: unknown, folder: string): unknown {
  if (addresses.includes(name)) {
    if (typeof value === 'string') return value === 'discard' ? value : rebased(value, folder)
    if (Array.isArray(value)) return value.map((one) => withPaths(name, one, folder))
    if (!isObject(value) || typeof value.url !== 'string') return value
    const secrets = Object.entries(value).filter(([key]) => secretOptions.includes(key))
    const placed = secrets.map(([key, secret]) => [key, withSecretPaths(secret, folder)])
    return { ...value, ...Object.fromEntries(placed), url: rebased(value.url, folder) }
  }
  return name === 'transform' ? withFunctionPaths(value, folder) : value
}

function withSecretPaths(value: unknown, folder: string): unknown {
  if (typeof value === 'string') return value.startsWith('file:') ? `file:${resolve(folder, value.slice(5))}` : value
  if (!isPlain(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withSecretPaths(one, folder)]))
}

function withFunctionPaths(value: unknown, folder: string): unknown {
  if (typeof value === 'string') return isInline(value) ? value : resolve(folder, value)
  if (Array.isArray(value)) return value.map((item) => withFunctionPaths(item, folder))
  if (!isPlain(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      functions.includes(key) && typeof item === 'string' && !isInline(item) ? resolve(folder, item) : item,
    ]),
  )
}

/** Whether something is an object that is no array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether something was written as an object, in JSON or between braces: no instance of a class. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isObject(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
