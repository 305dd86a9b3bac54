/** A status of HTTP with its name: `503 Service Unavailable`. */
export function statusWords(status: number): string {
  // Loaded when it is needed: a stream to files has no other use for `node:http`.
  const { STATUS_CODES } = process.getBuiltinModule('node:http')
  return [status, STATUS_CODES[status]].join(' ').trim()
}
