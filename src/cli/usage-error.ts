import { redact } from '../redact.ts'

/** A mistake in the arguments, the config or the inputs: printed in words, never with a stack trace. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What is said of something that failed: its own words, without secrets, or those for the system's error codes that people know better. */
export function wordsOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return redact(String(thrown))
  const code = 'code' in thrown ? thrown.code : undefined
  const path = 'path' in thrown && typeof thrown.path === 'string' ? `${thrown.path}: ` : ''
  const known = typeof code === 'string' ? systemCodes.get(code) : undefined
  return redact(known === undefined ? thrown.message : `${path}${known}`)
}

const systemCodes: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file or folder'],
  ['EACCES', 'permission denied'],
  ['EISDIR', 'is a folder'],
  ['ENOTDIR', 'is no folder'],
  ['ENOSPC', 'there is no space left on the disk'],
])

/** Says what to install where an import failed because a package is not there. */
export function needing(packages: string): (error: unknown) => never {
  return (error) => {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
    if (isMissing)
      throw new UsageError(`it needs packages that are not installed: npm install ${packages}`, { cause: error })
    throw error
  }
}
