/** Functions with regular expressions, which have to be literals: they are translated once. */
import { type Filter, single } from './filter.ts'
import { toRegExp } from './regex.ts'
import { type Query, QueryError } from './syntax.ts'
import { JqError, shown } from './values.ts'

export function literalText(query: Query | undefined): string | undefined {
  return query?.kind === 'literal' && typeof query.value === 'string' ? query.value : undefined
}

/** What is done with a text and a regular expression, which must be a literal. */
export function matching(
  parameters: readonly Query[],
  at: number,
  call: (text: string, expression: RegExp) => unknown,
): Filter {
  const expression = expressionOf(parameters[0], parameters[1], at)
  return single((input) => call(matchable(input), expression))
}

function expressionOf(pattern: Query | undefined, flags: Query | undefined, at: number, more = ''): RegExp {
  const isNone = flags === undefined || (flags.kind === 'literal' && flags.value === null)
  const [text, signs] = [literalText(pattern), isNone ? '' : literalText(flags)]
  const expression = text === undefined || signs === undefined ? undefined : toRegExp(text, signs + more)
  if (expression !== undefined) return expression
  throw new QueryError(
    `the regular expression ${text === undefined ? 'that is no literal' : JSON.stringify(text)} is not compiled`,
    at,
    true,
  )
}

function matchable(value: unknown): string {
  if (typeof value === 'string') return value
  throw new JqError(`${shown(value)} cannot be matched, as it is not a string`)
}

export function pieces(text: string, expression: RegExp): string[] {
  const found: string[] = []
  let from = 0
  for (const match of text.matchAll(expression)) {
    found.push(text.slice(from, match.index))
    from = match.index + match[0].length
  }
  return [...found, text.slice(from)]
}

export function replacing(
  parameters: readonly Query[],
  replacement: Filter,
  flags: Query | undefined,
  isGlobal: boolean,
  at: number,
): Filter {
  const { one } = replacement
  if (one === undefined) throw new QueryError('a replacement of several texts is not compiled', at, true)
  const expression = expressionOf(parameters[0], flags, at)
  const isEvery = isGlobal || (literalText(flags) ?? '').includes('g')
  if (isEvery && expression.test('')) {
    throw new QueryError('replacing every match of a regular expression that matches nothing is not compiled', at, true)
  }
  expression.lastIndex = 0
  return single((input) => {
    const text = matchable(input)
    let [made, from] = ['', 0]
    for (const match of text.matchAll(expression)) {
      if (isEvery && match[0] === '') throw new JqError('a match of nothing cannot be replaced')
      const names = Object.entries(match.groups ?? {}).map(([name, value]) => [name, value ?? null])
      made += text.slice(from, match.index) + textOf(one(Object.fromEntries(names)))
      from = match.index + match[0].length
      if (!isEvery) break
    }
    return made + text.slice(from)
  })
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  throw new JqError(`string ("") and ${shown(value)} cannot be added`)
}
