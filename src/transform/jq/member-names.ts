import { QueryError } from './syntax.ts'
import { type Token, tokensOf } from './tokens.ts'

/**
 * The names of the members of the object that a query ends in: `. as $r | {a: $r.x, "b c": 1}`. For queries that are not compiled.
 *
 * @returns `undefined` where it ends in something else, or a name is made by a query.
 */
export function memberNamesOf(query: string): readonly string[] | undefined {
  try {
    return namesIn(tokensOf(query).slice(0, -1))
  } catch (error) {
    // What is no query is told by jq.
    if (error instanceof QueryError) return undefined
    throw error
  }
}

function namesIn(all: readonly Token[]): readonly string[] | undefined {
  const depths = depthsOf(all)
  const isSign = (i: number, text: string): boolean => all[i]?.kind === 'sign' && all[i].text === text
  const first = all.findLastIndex((_, i) => depths[i] === 0 && (isSign(i, '|') || isSign(i, ';'))) + 1
  const last = all.length - 1
  if (!isSign(first, '{') || !isSign(last, '}')) return undefined
  // One object, and not one behind another.
  if (depths.slice(first + 1, last).includes(0)) return undefined
  const names: string[] = []
  for (let i = first + 1; i < last; i += 1) {
    const name = nameOf(all[i])
    const isWhole = isSign(i + 1, ':') || isSign(i + 1, ',') || i + 1 === last
    if (name === undefined || !isWhole || depths[i] !== 1) return undefined
    names.push(name)
    while (i < last && !(isSign(i, ',') && depths[i] === 1)) i += 1
  }
  return names.length > 0 ? names : undefined
}

function nameOf(token: Token | undefined): string | undefined {
  if (token?.kind === 'name') return token.text
  if (token?.kind === 'variable') return token.text.slice(1)
  const [only, ...more] = token?.kind === 'text' ? (token.parts ?? []) : []
  return typeof only === 'string' && more.length === 0 ? only : undefined
}

/** How many brackets each token stands in. */
function depthsOf(tokens: readonly Token[]): readonly number[] {
  let depth = 0
  return tokens.map(({ kind, text }) => {
    if (kind !== 'sign') return depth
    if (')]}'.includes(text)) depth -= 1
    const at = depth
    if ('([{'.includes(text)) depth += 1
    return at
  })
}
