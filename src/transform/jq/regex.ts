/**
 * Regular expressions of Oniguruma, which jq has (its syntax `Perl_NT`), as those of JavaScript. What means another thing there, or nothing, is not translated: `undefined`.
 */
const spaces = '\\p{White_Space}'
const word = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}'
/** Classes and anchors, outside of brackets. */
const escapes: Readonly<Record<string, string>> = {
  d: '\\p{Nd}',
  D: '\\P{Nd}',
  w: `[${word}]`,
  W: `[^${word}]`,
  s: spaces,
  S: `\\P{White_Space}`,
  b: `(?:(?<=[${word}])(?![${word}])|(?<![${word}])(?=[${word}]))`,
  A: '^',
  z: '$',
  Z: '(?=\\n?$)',
  n: '\\n',
  t: '\\t',
  r: '\\r',
  f: '\\f',
  v: '\\v',
}
/** Those that may stand in brackets. */
const inBrackets: Readonly<Record<string, string>> = {
  d: '\\p{Nd}',
  D: '\\P{Nd}',
  w: word,
  s: spaces,
  S: '\\P{White_Space}',
  n: '\\n',
  t: '\\t',
  r: '\\r',
  f: '\\f',
  v: '\\v',
}
const named: Readonly<Record<string, string>> = {
  alpha: '\\p{Alphabetic}',
  digit: '\\p{Nd}',
  alnum: '\\p{Alphabetic}\\p{Nd}',
  upper: '\\p{Uppercase}',
  lower: '\\p{Lowercase}',
  space: spaces,
  xdigit: '0-9a-fA-F',
}
const group = /\((?:\?(?::|=|!|<=|<!|<[A-Za-z_]\w*>))?(?!\?)/y
const quantifier = /(?:[*+?]|\{\d+(?:,\d*)?\})\??(?![*+?{])/y
const punctuation = /[!-/:-@[-`{-~]/

const compiled = new Map<string, RegExp | undefined>()
const maxCompiled = 1_000

/**
 * Translates a regular expression. One that was translated before is the same object.
 *
 * @param flags - `g`, `i` and `s`; others are not translated.
 */
export function toRegExp(pattern: string, flags: string): RegExp | undefined {
  const name = `${flags}/${pattern}`
  if (compiled.has(name)) return compiled.get(name)
  if (compiled.size >= maxCompiled) compiled.clear()
  const expression = compile(pattern, flags)
  compiled.set(name, expression)
  return expression
}

function compile(pattern: string, flags: string): RegExp | undefined {
  const source = /^[gis]*$/.test(flags) ? translated(pattern) : undefined
  if (source === undefined) return undefined
  try {
    return new RegExp(source, flags.includes('i') ? 'giu' : 'gu')
  } catch {
    // What JavaScript refuses, such as two groups of one name, may mean something in Oniguruma.
    return undefined
  }
}

function translated(pattern: string): string | undefined {
  let source = ''
  for (let at = 0; at < pattern.length; ) {
    const sign = pattern.charAt(at)
    if (sign === '\\') {
      const escaped = pattern.charAt(at + 1)
      const meaning = Object.hasOwn(escapes, escaped) ? escapes[escaped] : literal(escaped)
      if (meaning === undefined) return undefined
      source += meaning
      at += 2
    } else if (sign === '[') {
      const found = bracket(pattern, at)
      if (found === undefined) return undefined
      source += found.source
      at = found.behind
    } else if (sign === '(' || '*+?{'.includes(sign)) {
      const form = sign === '(' ? group : quantifier
      form.lastIndex = at
      const text = form.exec(pattern)?.[0]
      if (text === undefined) return undefined
      source += text
      at += text.length
    } else {
      source += sign === '$' ? '(?=\\n?$)' : sign === '.' ? '[^\\n]' : plain(sign)
      at += 1
    }
  }
  return source
}

function plain(sign: string): string {
  return sign === '}' || sign === ']' ? `\\${sign}` : sign
}

/** A sign that an escape makes one without a meaning. */
function literal(sign: string): string | undefined {
  if (!punctuation.test(sign)) return undefined
  return /[\^$\\.*+?()[\]{}|/]/.test(sign) ? `\\${sign}` : sign
}

function bracket(pattern: string, start: number): { readonly source: string; readonly behind: number } | undefined {
  const isNegated = pattern.charAt(start + 1) === '^'
  const first = start + (isNegated ? 2 : 1)
  let source = isNegated ? '[^' : '['
  for (let at = first; at < pattern.length; ) {
    const sign = pattern.charAt(at)
    if (sign === ']' && at > first) return { source: `${source}]`, behind: at + 1 }
    if (sign === '[') {
      const name = /^\[:(\w+):\]/.exec(pattern.slice(at))
      const meaning = name?.[1] !== undefined && Object.hasOwn(named, name[1]) ? named[name[1]] : undefined
      if (name === null || meaning === undefined) return undefined
      source += meaning
      at += name[0].length
    } else if (sign === '\\') {
      const escaped = pattern.charAt(at + 1)
      const meaning = Object.hasOwn(inBrackets, escaped) ? inBrackets[escaped] : inClass(escaped)
      if (meaning === undefined) return undefined
      source += meaning
      at += 2
    } else {
      // Sets have an intersection there.
      if (pattern.startsWith('&&', at) || (sign === ']' && at === first)) return undefined
      const isRange = sign === '-' && at > first && pattern.charAt(at + 1) !== ']'
      source += isRange ? '-' : (inClass(sign) ?? sign)
      at += 1
    }
  }
  return undefined
}

function inClass(sign: string): string | undefined {
  if (!punctuation.test(sign)) return undefined
  return /[\\\]^[\-/{}()|]/.test(sign) ? `\\${sign}` : sign
}
