import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where records go, as the user wrote it: a scheme, and what follows it. */
export interface Address {
  /** `file:`, `s3:`; for stdout `-`. */
  readonly scheme: string
  /** What stands behind the scheme: for `file:` the path. */
  readonly rest: string
}

/** Two letters at least, so that `C:\out` is a path. */
const schemePattern = /^([a-z][a-z0-9+.-]+:)(.*)$/is

/** Takes apart what `--to` and its like are given: `-`, a URL, or the path of a folder. */
export function parseAddress(text: string): Address {
  if (text === '-') return { scheme: '-', rest: '' }
  const [, scheme, rest = ''] = schemePattern.exec(text) ?? []
  if (scheme === undefined) return { scheme: 'file:', rest: text }
  if (scheme.toLowerCase() !== 'file:') return { scheme: scheme.toLowerCase(), rest }
  return { scheme: 'file:', rest: rest.startsWith('//') ? fileURLToPath(text) : rest }
}

/** The same address as seen from `folder`: paths become absolute, everything else stays. */
export function rebased(text: string, folder: string): string {
  const { scheme, rest } = parseAddress(text)
  return scheme !== 'file:' || rest === '' || isAbsolute(rest) ? text : resolve(folder, rest)
}
