/** Names and texts as SQL has them. */

/** A text of SQL. */
export function literal(text: string): string {
  // Redshift reads a backslash in a text as the beginning of an escape, PostgreSQL does not; manifests and roles have none.
  return `'${text.replaceAll("'", "''")}'`
}

/** A name, and that of its schema before it. @throws Error where a part is empty */
export function quoted(name: string): string {
  return partsOf(name)
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.')
}

/** The parts of a name: `a.b`, or `"A.x".b`. */
export function partsOf(name: string): readonly string[] {
  const parts = Array.from(name.matchAll(/"((?:[^"]|"")+)"(?:\.|$)|([^".]+)(?:\.|$)/g))
  if (parts.map(([whole]) => whole).join('') !== name || name.endsWith('.') || name === '') return []
  return parts.map(([, inQuotes, bare]) => inQuotes?.replaceAll('""', '"') ?? bare ?? '')
}

/** One part of a name. */
export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Several, with commas between. */
export function listOf(names: readonly string[]): string {
  return names.map(quotedName).join(', ')
}
