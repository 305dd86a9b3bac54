/** Modules of the user: functions of records, and configs. */
import { spawnSync } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { filter, json, map, type RecordFunction } from '../index.ts'
import { isRecordFunction } from '../transform/view.ts'
import { inlineFunction, isInline } from './inline-function.ts'
import { UsageError, wordsOf } from './usage-error.ts'

/** What a module of the user's does with records, by the flag that names it. */
export type FunctionKind = (typeof functionKinds)[number]
export const functionKinds = ['filter', 'map', 'transform'] as const

let isQuiet = false

/** Keeps Node from warning of a `.js` file with `export` in it beside a package.json that does not say what modules are: it is loaded all the same. */
function quietTypeless(): void {
  if (isQuiet) return
  isQuiet = true
  const printers = process.listeners('warning')
  process.removeAllListeners('warning')
  process.on('warning', (warning) => {
    if ('code' in warning && warning.code === 'MODULE_TYPELESS_PACKAGE_JSON') return
    for (const print of printers) print(warning)
  })
}

/**
 * Imports a module and gives its default export.
 *
 * @param path - Relative to the folder that the process runs in.
 * @throws UsageError when there is none, or the module cannot be loaded; it says where.
 */
export async function loadDefault(path: string): Promise<unknown> {
  const absolute = resolve(path)
  try {
    await stat(absolute)
  } catch (error) {
    throw new UsageError(`${path}: ${wordsOf(error).replace(`${absolute}: `, '')}`, { cause: error })
  }
  let loaded: unknown
  quietTypeless()
  try {
    loaded = await import(pathToFileURL(absolute).href)
  } catch (error) {
    throw new UsageError(`${path} cannot be loaded: ${whyNotLoaded(error, absolute)}`, { cause: error })
  }
  if (typeof loaded === 'object' && loaded !== null && 'default' in loaded) return loaded.default
  const names = Object.keys(Object(loaded)).join(', ')
  throw new UsageError(`${path} has no default export${names === '' ? '' : `, but exports ${names}`}`)
}

/**
 * Makes a function of records out of what stands on the command line, or of a module's default export: a function of the parsed value, or what `json(fn)`, `text(fn)`,
 * `filter(fn)` or `map(fn)` made.
 *
 * @throws UsageError
 */
export async function loadFunction(kind: FunctionKind, path: string): Promise<RecordFunction> {
  if (isInline(path)) return functionOf(kind, path, inlineFunction(path))
  return functionOf(kind, path, await loadDefault(path))
}

/** @throws UsageError when it is nothing of the kind. */
function functionOf(kind: FunctionKind, path: string, given: unknown): RecordFunction {
  if (isRecordFunction(given)) {
    const made = { keep: 'filter', value: 'map', result: 'transform' } as const
    const meant = made[given.meaning]
    if (meant === kind || kind === 'transform') return given
    if (meant === 'transform') return kind === 'filter' ? filter(given) : map(given)
    throw new UsageError(`${path} exports what ${meant}() made: name it with --${meant}, not --${kind}`)
  }
  if (!isFunction(given)) {
    const came = given === null ? 'null' : Array.isArray(given) ? 'an array' : typeof given
    throw new UsageError(
      `${path} must have a function as its default export, which is called with each parsed record, but has ${came}`,
    )
  }
  if (kind === 'filter') return filter(json(given))
  return kind === 'map' ? map(json(given)) : json(given)
}

function isFunction(value: unknown): value is (record: unknown) => never {
  return typeof value === 'function'
}

function whyNotLoaded(thrown: unknown, path: string): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const code = 'code' in thrown ? thrown.code : undefined
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION') {
    return `this Node cannot load ${extname(path)} files; write it as .js or .mjs`
  }
  if (code === 'ERR_MODULE_NOT_FOUND' && thrown.message.includes("'hosepipe'")) {
    return 'it imports hosepipe, which is not installed beside it: npm install hosepipe'
  }
  const place = thrown instanceof SyntaxError ? placeOfSyntaxError(path) : ''
  return `${thrown.name === 'Error' ? '' : `${thrown.name}: `}${thrown.message}${place}`
}

/** Where a module breaks off, if it is this one and not one that it imports: an import does not say, but `node --check` does. */
function placeOfSyntaxError(path: string): string {
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8' })
  const line = /^(?:file:.*|\/.*|[A-Z]:.*):(\d+)$/m.exec(stderr)?.[1]
  return line === undefined ? '' : `, in line ${line}`
}
