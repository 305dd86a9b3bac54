import { UsageError } from './usage-error.ts'

/**
 * Reads columns as SQL has them: `id bigint, name string, items array<struct<sku:string,price:decimal(9,2)>>`.
 *
 * @throws UsageError when one of them is not a name and a type.
 */
export function columnsOf(text: string): Record<string, string> {
  const columns: Record<string, string> = {}
  for (const part of topLevel(text)) {
    const [, name, type] = /^\s*("[^"]+"|\S+)\s+(\S.*?)\s*$/s.exec(part) ?? []
    if (name === undefined || type === undefined) {
      throw new UsageError(
        `format: a column must be a name and a type, as in parquet:id bigint, but one is ${JSON.stringify(part.trim())}`,
      )
    }
    columns[name.replace(/^"(.*)"$/, '$1')] = type
  }
  return columns
}

/** The parts between commas that stand in no brackets. */
function topLevel(text: string): string[] {
  const parts = ['']
  let depth = 0
  for (const character of text) {
    if ('<('.includes(character)) depth += 1
    else if ('>)'.includes(character)) depth -= 1
    if (character === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += character
  }
  return parts
}
