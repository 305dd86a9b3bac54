/**
 * Secrets in text that people see: messages, stacks, what `check` prints. Clients repeat the address and the header fields that they
 * failed with: fetch, for one, with user and password in it.
 */
import { inspect } from 'node:util'

/** What stands in the place of a secret. */
export const hidden = '***'

/** Names of options, header fields, query parameters and members whose values are secrets. */
const secretWord =
  'secret|token|passw|passphrase|pwd|credential|signature|api[-_. ]?key|access[-_. ]?key|private[-_. ]?key|cookie|authorization'

const secretName = new RegExp(`${secretWord}|^(?:sig|auth)$|^auth[-_]`, 'i')

/** Whether what goes by this name is a secret. */
export function isSecretName(name: string): boolean {
  return secretName.test(name)
}

/** A name with a sign behind it, in quotes or not: `password=`, `"apiKey": `, `x-api-key: `. Bounded, so that the search is linear. */
const named = String.raw`((?:${secretWord}|\b(?:sig|auth)(?![\w.-]))([\w.-]{0,40})["']?\s{0,4}[=:]\s{0,4})`

const rules: readonly (readonly [RegExp, string | ((found: string, ...groups: string[]) => string)])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, hidden],
  // A password may have a slash, a colon or an at sign in it: all up to the last at sign is the account.
  [/:\/\/[^\s/?#@:"'<>]*:[^\s"'<>]{0,512}@/g, `://${hidden}@`],
  [/:\/\/[^\s/?#@"'<>]+@/g, `://${hidden}@`],
  // These fields have values of several words.
  [/(["']?\b(?:set-)?cookie["']?\s*[=:]\s*["']?)[^\r\n"']+/gi, `$1${hidden}`],
  [/(["']?\b(?:proxy-)?authorization["']?\s*[=:]\s*["']?)[^\r\n"',;}]+/gi, `$1${hidden}`],
  [new RegExp(String.raw`${named}("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s,;&"'(){}[\]]+)`, 'gi'), hideValue],
  [/\b(bearer|basic|splunk|negotiate|apikey) +[\w.~+/-]{8,}=*/gi, `$1 ${hidden}`],
  // JSON Web Tokens: RFC 7519.
  [/\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*/g, hidden],
  [/(?<![\w/+=])[A-Za-z0-9/+]{40}(?![\w/+=])/g, hideAwsSecret],
]

/** Takes out of a text what may be a secret in it. */
export function redact(text: string): string {
  let shown = text
  for (const [pattern, put] of rules)
    shown = typeof put === 'string' ? shown.replace(pattern, put) : shown.replace(pattern, put)
  return shown
}

function hideValue(whole: string, before = '', rest = '', value = ''): string {
  // The place in a file that is called so.
  if (/\.\w{1,4}$/.test(rest) && /^\d+(?::\d+)?$/.test(value)) return whole
  const around = /^["']/.exec(value)?.[0] ?? ''
  return `${before}${around}${hidden}${around}`
}

/** A secret access key of AWS has no name in it; other text of this length has less of everything, and a path more slashes. */
function hideAwsSecret(found: string): string {
  const isMixed = /[a-z]/.test(found) && /[A-Z]/.test(found) && /\d/.test(found)
  return isMixed && found.split('/').length <= 4 ? hidden : found
}

/** Deeper members of an error are not shown, and so not looked at. */
const maxDepth = 6

/**
 * What was thrown, where nothing that is shown of it may be a secret; otherwise a copy without secrets. A copy of an error has its class,
 * its `code` and its stack. Node shows the causes and members of an error that nobody catches, and asks no error how it wants to be shown.
 */
export function withoutSecrets(thrown: unknown): unknown {
  const shown = inspect(thrown, { depth: maxDepth, customInspect: false })
  return redact(shown) === shown ? thrown : cleaned(thrown, 0)
}

function cleaned(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redact(value)
  if (typeof value !== 'object' || value === null) return value
  const prototype: unknown = Object.getPrototypeOf(value)
  const isError = value instanceof Error
  if (Array.isArray(value) && depth < maxDepth) return value.map((item) => cleaned(item, depth + 1))
  if (depth === maxDepth || !(isError || prototype === Object.prototype || prototype === null)) {
    return `[${value.constructor?.name ?? 'object'}]`
  }
  const copy: object = Object.create(isError ? Object.getPrototypeOf(value) : null)
  // Getters of a class may need what only the original has inside, as those of `DOMException` do.
  if (isError) {
    for (const name of ['name', 'message', 'stack', 'code'] as const) {
      const known: unknown = Reflect.get(value, name)
      if (known !== undefined)
        Object.defineProperty(copy, name, { value: cleaned(known, depth + 1), configurable: true })
    }
  }
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(value))) {
    if (!('value' in descriptor)) continue
    const shown = isSecretName(name) ? hidden : cleaned(descriptor.value, depth + 1)
    Object.defineProperty(copy, name, { value: shown, enumerable: descriptor.enumerable ?? false })
  }
  return copy
}
