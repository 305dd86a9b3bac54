/** What stands in the place of a secret. */
const hidden = '***'

/** Names of query parameters whose values are secrets: tokens, keys, signatures of presigned addresses. */
const secretName = /token|secret|signature|^sig$|passw|credential|api[-_]?key|access[-_]?key|^auth/i

/**
 * Takes out of a message what may be a secret in an address or a header field. Clients repeat the address that they failed with: fetch, for
 * one, with user and password in it.
 */
export function redact(message: string): string {
  return message
    .replace(/:\/\/[^\s/?#@]+@/g, `://${hidden}@`)
    .replace(/([?&])([^\s=&#?]+)=[^\s&#"']+/g, (whole, sign: string, name: string) =>
      secretName.test(name) ? `${sign}${name}=${hidden}` : whole,
    )
    .replace(/\b(bearer|basic) +[\w.~+/-]{8,}=*/gi, `$1 ${hidden}`)
}
