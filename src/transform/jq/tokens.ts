import { QueryError } from './syntax.ts'

/** A piece of a query. Text has pieces of its own: text as it stands, and positions of the queries in it. */
export interface Token {
  readonly kind: 'name' | 'field' | 'number' | 'text' | 'format' | 'variable' | 'sign' | 'end'
  readonly text: string
  readonly at: number
  /** Of text: what stands in it, with the tokens of the queries in it. */
  readonly parts?: readonly (string | readonly Token[])[]
}

const space = /(?:[ \t\r\n]|#[^\n]*)+/y
const patterns: readonly (readonly [Token['kind'], RegExp])[] = [
  ['field', /\.[a-zA-Z_][a-zA-Z_0-9]*/y],
  ['number', /(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?/y],
  ['format', /@[a-zA-Z0-9_]+/y],
  ['variable', /\$(?:[a-zA-Z_][a-zA-Z_0-9]*::)*[a-zA-Z_][a-zA-Z_0-9]*/y],
  ['name', /(?:[a-zA-Z_][a-zA-Z_0-9]*::)*[a-zA-Z_][a-zA-Z_0-9]*/y],
  ['sign', /\?\/\/|\/\/=|\|=|\+=|-=|\*=|\/=|%=|==|!=|<=|>=|\/\/|\.\.|[.|,:;()[\]{}=<>+\-*/%?]/y],
]

/** Takes a query apart. @throws QueryError */
export function tokensOf(query: string): readonly Token[] {
  const { tokens, at } = read(query, 0, false)
  return [...tokens, { kind: 'end', text: 'the end', at }]
}

/** Reads tokens up to the end, or up to the `)` that closes a query in text. */
function read(query: string, from: number, isInText: boolean): { tokens: Token[]; at: number } {
  const tokens: Token[] = []
  let depth = 0
  for (let at = from; ; ) {
    space.lastIndex = at
    if (space.test(query)) at = space.lastIndex
    if (at >= query.length) {
      if (isInText) throw new QueryError('a string does not end', from)
      return { tokens, at }
    }
    if (query.charAt(at) === '"') {
      const { token, behind } = readText(query, at)
      tokens.push(token)
      at = behind
      continue
    }
    const token = tokenAt(query, at)
    if (token.text === '(') depth += 1
    if (token.text === ')') {
      if (isInText && depth === 0) return { tokens: [...tokens, { kind: 'end', text: ')', at }], at: at + 1 }
      depth -= 1
    }
    tokens.push(token)
    at += token.text.length
  }
}

function tokenAt(query: string, at: number): Token {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at
    const text = pattern.exec(query)?.[0]
    if (text !== undefined) return { kind, text, at }
  }
  throw new QueryError(`${JSON.stringify(query.charAt(at))} has no meaning`, at)
}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

function readText(query: string, start: number): { token: Token; behind: number } {
  const parts: (string | readonly Token[])[] = []
  let text = ''
  for (let at = start + 1; at < query.length; ) {
    const sign = query.charAt(at)
    if (sign === '"') {
      const token: Token = { kind: 'text', text: query.slice(start, at + 1), at: start, parts: [...parts, text] }
      return { token, behind: at + 1 }
    }
    if (sign !== '\\') {
      text += sign
      at += 1
      continue
    }
    const escaped = query.charAt(at + 1)
    if (escaped === '(') {
      const inner = read(query, at + 2, true)
      parts.push(text, inner.tokens)
      text = ''
      at = inner.at
    } else if (escaped === 'u' && /^[0-9a-fA-F]{4}$/.test(query.slice(at + 2, at + 6))) {
      text += String.fromCharCode(Number.parseInt(query.slice(at + 2, at + 6), 16))
      at += 6
    } else if (Object.hasOwn(escapes, escaped)) {
      text += escapes[escaped]
      at += 2
    } else throw new QueryError(`\\${escaped} is no escape in a string`, at)
  }
  throw new QueryError('a string does not end', start)
}
