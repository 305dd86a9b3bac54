import { errorChain, propertyOf } from './error-chain.ts'

/** The longest time that a server may ask for, in milliseconds: beyond a day it is a mistake, and beyond 24.8 a timer cannot wait. */
export const maxRetryAfter = 86_400_000

/** Header fields as clients give them: `Headers` of fetch, or a plain object as undici's and Node's. */
export type HeaderFields =
  | { get(name: string): string | null | undefined }
  | Readonly<Record<string, string | readonly string[] | undefined>>

/** The value of a header field, whatever its case; the first one where it stands several times. */
export function headerOf(headers: unknown, name: string): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined
  const get = propertyOf(headers, 'get')
  const value: unknown =
    typeof get === 'function' ? get.call(headers, name) : propertyOf(headers, nameIn(headers, name))
  const first: unknown = Array.isArray(value) ? value[0] : value
  return typeof first === 'string' ? first : undefined
}

function nameIn(headers: object, name: string): string {
  return name in headers ? name : (Object.keys(headers).find((key) => key.toLowerCase() === name) ?? name)
}

/**
 * Reads a `Retry-After` field: whole seconds, or one of the three forms of an HTTP date (RFC 9110, sections 10.2.3 and 5.6.7).
 *
 * @param now - Wall-clock time that a date is compared with, in milliseconds.
 * @returns Milliseconds from 0 (a date that has passed) to {@link maxRetryAfter}; `undefined` for what is neither form.
 */
export function parseRetryAfter(value: string, now: number): number | undefined {
  const text = value.trim()
  const delay = /^\d+$/.test(text) ? Number(text) * 1000 : parseHttpDate(text) - now
  return Number.isNaN(delay) ? undefined : Math.min(Math.max(0, delay), maxRetryAfter)
}

/** The `Retry-After` of an answer, in milliseconds. A date is compared with the server's own `Date`, so clocks that differ do no harm. */
export function retryAfterIn(headers: unknown, now: number): number | undefined {
  const value = headerOf(headers, 'retry-after')
  if (value === undefined) return undefined
  const serverTime = parseHttpDate(headerOf(headers, 'date') ?? '')
  return parseRetryAfter(value, Number.isNaN(serverTime) ? now : serverTime)
}

/**
 * How long a failure asks to wait, in milliseconds: from an error's `retryAfter`, or from the header fields of the answer that
 * the clients of AWS (`$response`) and others (`response`) keep with it.
 */
export function retryAfterOf(error: unknown, now: number): number | undefined {
  for (const link of errorChain(error)) {
    const given = propertyOf(link, 'retryAfter')
    if (typeof given === 'number' && given >= 0) return Math.min(given, maxRetryAfter)
    for (const answer of ['$response', 'response']) {
      const found = retryAfterIn(propertyOf(propertyOf(link, answer), 'headers'), now)
      if (found !== undefined) return found
    }
  }
  return undefined
}

/** `Sun, 06 Nov 1994 08:49:37 GMT`, and the obsolete form of RFC 850 with dashes and the whole name of the day. */
const withZone = /^[A-Z][a-z]{2,8}, \d{2}[ -][A-Z][a-z]{2}[ -](?:\d{4}|\d{2}) \d{2}:\d{2}:\d{2} GMT$/
/** The form of C's `asctime`, which names no zone and means GMT: `Sun Nov  6 08:49:37 1994`. */
const withoutZone = /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/

function parseHttpDate(text: string): number {
  if (withZone.test(text)) return Date.parse(text.replaceAll('-', ' '))
  return withoutZone.test(text) ? Date.parse(`${text} GMT`) : Number.NaN
}
