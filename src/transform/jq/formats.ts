/** The formats of texts: `@base64`, `@csv` and others (jq's manual, "Format strings and escaping"). */
import { isObject, JqError, numberText, shown, toJson, toText } from './values.ts'

/** By their names. */
export const formats: Readonly<Record<string, (value: unknown) => string>> = {
  '@text': toText,
  '@json': toJson,
  '@html': (value) => toText(value).replace(/[<>&'"]/g, (sign) => entities[sign] ?? sign),
  '@uri': (value) => toText(value).replace(/[^A-Za-z0-9\-_.~]/gu, percentEncoded),
  '@csv': (value) => row(value, 'csv', ',', (text) => `"${text.replaceAll('"', '""')}"`),
  '@tsv': (value) => row(value, 'tsv', '\t', (text) => text.replace(/[\t\r\n\\]/g, (sign) => tabEscapes[sign] ?? sign)),
  '@sh': (value) => (Array.isArray(value) ? value : [value]).map(forShell).join(' '),
  '@base64': (value) => Buffer.from(toText(value)).toString('base64'),
  '@base64d': decoded,
}

const entities: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  "'": '&apos;',
  '"': '&quot;',
}
const tabEscapes: Readonly<Record<string, string>> = { '\t': '\\t', '\r': '\\r', '\n': '\\n', '\\': '\\\\' }

function percentEncoded(sign: string): string {
  return [...Buffer.from(sign)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

function row(value: unknown, name: string, between: string, quoted: (text: string) => string): string {
  if (!Array.isArray(value)) throw new JqError(`${shown(value)} cannot be ${name}-formatted, only array`)
  const fields = value.map((field: unknown) => {
    if (typeof field === 'string') return quoted(field)
    if (typeof field === 'number') return Number.isNaN(field) ? '' : numberText(field)
    if (typeof field === 'boolean') return String(field)
    if (field === null) return ''
    throw new JqError(`${shown(field)} is not valid in a csv row`)
  })
  return fields.join(between)
}

function forShell(value: unknown): string {
  if (typeof value === 'string') return `'${value.replaceAll("'", "'\\''")}'`
  if (Array.isArray(value) || isObject(value)) throw new JqError(`${shown(value)} can not be escaped for shell`)
  return toJson(value)
}

function decoded(value: unknown): string {
  const text = toText(value)
  const digits = text.replace(/=.*$/s, '')
  if (/[^A-Za-z0-9+/]/.test(digits)) throw new JqError(`${shown(text)} is not valid base64 data`)
  if (digits.length % 4 === 1) throw new JqError(`${shown(text)} trailing base64 byte found`)
  return Buffer.from(digits, 'base64').toString()
}
