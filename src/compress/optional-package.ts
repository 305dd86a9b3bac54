import { type ErrorCode, HosepipeError, toError } from '../errors.ts'

/** A package that users install beside hosepipe only if they need it. */
export interface OptionalPackage<Module> {
  /** What needs it: `zip`. */
  readonly compression: string
  readonly name: string
  /** What its absence is called. Default: `Compress.Unavailable`. */
  readonly code?: ErrorCode | undefined
  /** Throws when it is not installed. */
  resolve(): unknown
  load(): Promise<Module>
}

/**
 * Looks whether a package is there, so that it is missed when a stage is made; loads it when it is first used.
 *
 * @returns What gives the package.
 * @throws HosepipeError with the package's `code` that says what to install; so does the function, when loading fails.
 */
export function optionalPackage<Module>(wanted: OptionalPackage<Module>): () => Promise<Module> {
  const { compression, name, code = 'Compress.Unavailable' } = wanted
  const unavailable = (what: string, cause: unknown): HosepipeError =>
    new HosepipeError(code, `${compression}: ${what}: ${toError(cause).message}. npm install ${name}`, { cause })
  try {
    wanted.resolve()
  } catch (error) {
    throw unavailable(`it needs the package ${name}`, error)
  }
  let loading: Promise<Module> | undefined
  return () => {
    loading ??= wanted.load().catch((error) => {
      throw unavailable(`${name} is installed, but cannot be loaded`, error)
    })
    return loading
  }
}
