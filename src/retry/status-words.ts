import { STATUS_CODES } from 'node:http'

/** A status of HTTP with its name: `503 Service Unavailable`. */
export function statusWords(status: number): string {
  return [status, STATUS_CODES[status]].join(' ').trim()
}
