/** Reads queries by the grammar of jq 1.6, which the service has (`JsonParsingEngine` `JQ-1.6`). */
import { type Member, type Operator, type Query, QueryError } from './syntax.ts'
import { type Token, tokensOf } from './tokens.ts'

/** @throws QueryError with the position */
export function parse(query: string): Query {
  return new Parser(tokensOf(query)).whole()
}

const comparisons: readonly string[] = ['==', '!=', '<', '<=', '>', '>=']
const keywords: readonly string[] = ['def', 'reduce', 'foreach', 'label', 'import', 'include', 'module', '__loc__']
const assignments: readonly string[] = ['=', '|=', '+=', '-=', '*=', '/=', '%=', '//=', '?//']

/** What is asked of a value. */
type Asked = Query & { readonly kind: 'index' | 'slice' | 'each' }

class Parser {
  readonly #tokens: readonly Token[]
  #next = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  whole(): Query {
    // Nothing is the value as it is.
    if (this.#tokens.length === 1) return identity
    const query = this.#pipe()
    const { kind, text, at } = this.#token
    if (kind !== 'end') throw this.#unexpected(text, at)
    return query
  }

  get #token(): Token {
    const token = this.#tokens[this.#next]
    if (token === undefined) throw new QueryError('the query does not end', 0)
    return token
  }

  #take(): Token {
    const token = this.#token
    this.#next += 1
    return token
  }

  /** Takes a sign or a word, if it stands next. */
  #skip(text: string): boolean {
    const { kind } = this.#token
    if ((kind !== 'sign' && kind !== 'name') || this.#token.text !== text) return false
    this.#next += 1
    return true
  }

  #expect(text: string): void {
    if (!this.#skip(text)) throw this.#unexpected(this.#token.text, this.#token.at, text)
  }

  #unexpected(text: string, at: number, wanted?: string): QueryError {
    if (assignments.includes(text)) return new QueryError(`assignments (${text}) are not compiled`, at, true)
    const expected = wanted === undefined ? '' : `, where ${wanted} should stand`
    return new QueryError(`unexpected ${text}${expected}`, at)
  }

  #pipe(): Query {
    const left = this.#comma()
    if (this.#token.kind === 'name' && this.#token.text === 'as') {
      throw new QueryError('variables are not compiled', this.#token.at, true)
    }
    return this.#skip('|') ? { kind: 'pipe', left, right: this.#pipe() } : left
  }

  #comma(): Query {
    let left = this.#alternative()
    while (this.#skip(',')) left = { kind: 'comma', left, right: this.#alternative() }
    return left
  }

  #alternative(): Query {
    const left = this.#or()
    return this.#skip('//') ? { kind: 'alternative', left, right: this.#alternative() } : left
  }

  #or(): Query {
    let left = this.#and()
    while (this.#skip('or')) left = { kind: 'or', left, right: this.#and() }
    return left
  }

  #and(): Query {
    let left = this.#comparison()
    while (this.#skip('and')) left = { kind: 'and', left, right: this.#comparison() }
    return left
  }

  #comparison(): Query {
    const left = this.#sum()
    if (!this.#isSign(comparisons)) return left
    const operator = this.#operator()
    const right = this.#sum()
    if (this.#isSign(comparisons)) throw this.#unexpected(this.#token.text, this.#token.at)
    return { kind: 'operation', operator, left, right }
  }

  #sum(): Query {
    if (this.#skip('-')) return this.#moreSum({ kind: 'negation', of: this.#product() })
    return this.#moreSum(this.#product())
  }

  #moreSum(first: Query): Query {
    let left = first
    while (this.#isSign(['+', '-']))
      left = { kind: 'operation', operator: this.#operator(), left, right: this.#product() }
    return left
  }

  #product(): Query {
    let left = this.#postfix()
    while (this.#isSign(['*', '/', '%'])) {
      left = { kind: 'operation', operator: this.#operator(), left, right: this.#postfix() }
    }
    return left
  }

  #isSign(signs: readonly string[]): boolean {
    return this.#token.kind === 'sign' && signs.includes(this.#token.text)
  }

  #operator(): Operator {
    const { text, at } = this.#take()
    const operators: readonly Operator[] = ['+', '-', '*', '/', '%', '==', '!=', '<', '<=', '>', '>=']
    const operator = operators.find((one) => one === text)
    if (operator === undefined) throw this.#unexpected(text, at)
    return operator
  }

  /** A term, what is asked of it, and `?`. */
  #postfix(): Query {
    if (this.#skip('try')) {
      const of = this.#postfix()
      return { kind: 'try', of, otherwise: this.#skip('catch') ? this.#postfix() : undefined }
    }
    if (this.#skip('-')) return { kind: 'negation', of: this.#postfix() }
    let term = this.#term()
    for (;;) {
      const { kind, text } = this.#token
      if (kind === 'field') term = this.#optional(indexed(term, literal(this.#take().text.slice(1))))
      else if (kind === 'sign' && text === '[') term = this.#optional(this.#bracket(term))
      else if (kind === 'sign' && text === '.' && this.#tokens[this.#next + 1]?.kind === 'text') {
        this.#take()
        term = this.#optional(indexed(term, this.#text(this.#take(), undefined)))
      } else break
    }
    while (this.#skip('?')) term = { kind: 'try', of: term, otherwise: undefined }
    return term
  }

  /** A `?` behind what is asked of a value means the asking alone, and not the value. */
  #optional(asked: Asked): Query {
    return this.#skip('?') ? { ...asked, isOptional: true } : asked
  }

  #bracket(of: Query): Asked {
    this.#expect('[')
    if (this.#skip(']')) return { kind: 'each', of }
    const from = this.#skip(':') ? undefined : this.#pipe()
    const isSlice = from === undefined || this.#skip(':')
    if (!isSlice) {
      this.#expect(']')
      return indexed(of, from)
    }
    if (from !== undefined && this.#skip(']')) return { kind: 'slice', of, from, to: undefined }
    const to = this.#pipe()
    this.#expect(']')
    return { kind: 'slice', of, from, to }
  }

  #term(): Query {
    const token = this.#take()
    const { kind, text, at } = token
    switch (kind) {
      case 'field':
        return this.#optional(indexed(identity, literal(text.slice(1))))
      case 'number':
        return literal(Number(text))
      case 'text':
        return this.#text(token, undefined)
      case 'format':
        return this.#token.kind === 'text' ? this.#text(this.#take(), text) : { kind: 'format', name: text, at }
      case 'variable':
        throw new QueryError('variables are not compiled', at, true)
      case 'name':
        return this.#named(token)
      default:
        return this.#signed(token)
    }
  }

  #signed({ text, at }: Token): Query {
    switch (text) {
      case '.':
        return this.#token.kind === 'text'
          ? this.#optional(indexed(identity, this.#text(this.#take(), undefined)))
          : identity
      case '..':
        throw new QueryError('.. is not compiled', at, true)
      case '(': {
        const inner = this.#pipe()
        this.#expect(')')
        return inner
      }
      case '[': {
        if (this.#skip(']')) return { kind: 'array', of: undefined }
        const of = this.#pipe()
        this.#expect(']')
        return { kind: 'array', of }
      }
      case '{':
        return this.#object()
      default:
        throw this.#unexpected(text, at)
    }
  }

  #named({ text, at }: Token): Query {
    if (text === 'if') return this.#condition()
    if (keywords.includes(text)) throw new QueryError(`${text} is not compiled`, at, true)
    if (text === 'true' || text === 'false') return literal(text === 'true')
    if (text === 'null') return literal(null)
    const parameters: Query[] = []
    if (this.#skip('(')) {
      do parameters.push(this.#pipe())
      while (this.#skip(';'))
      this.#expect(')')
    }
    return { kind: 'call', name: text, parameters, at }
  }

  #condition(): Query {
    const condition = this.#pipe()
    this.#expect('then')
    const then = this.#pipe()
    if (this.#skip('elif')) return { kind: 'if', condition, then, otherwise: this.#condition() }
    this.#expect('else')
    const otherwise = this.#pipe()
    this.#expect('end')
    return { kind: 'if', condition, then, otherwise }
  }

  #object(): Query {
    const members: Member[] = []
    if (this.#skip('}')) return { kind: 'object', members }
    do members.push(this.#member())
    while (this.#skip(','))
    this.#expect('}')
    return { kind: 'object', members }
  }

  #member(): Member {
    const token = this.#take()
    const { kind, text, at } = token
    if (kind === 'variable') throw new QueryError('variables are not compiled', at, true)
    if (kind === 'sign' && text === '(') {
      const key = this.#pipe()
      this.#expect(')')
      this.#expect(':')
      return { key, value: this.#memberValue() }
    }
    const isFormat = kind === 'format' && this.#token.kind === 'text'
    if (kind !== 'name' && kind !== 'text' && !isFormat) throw this.#unexpected(text, at, 'a name')
    const key =
      kind === 'name' ? literal(text) : isFormat ? this.#text(this.#take(), text) : this.#text(token, undefined)
    return { key, value: this.#skip(':') ? this.#memberValue() : indexed(identity, key) }
  }

  /** What may stand there without parentheses: terms, with `|` between them. */
  #memberValue(): Query {
    const left: Query = this.#skip('-') ? { kind: 'negation', of: this.#memberValue() } : this.#postfix()
    const { kind, text, at } = this.#token
    if (kind === 'sign' && text === '|') {
      this.#take()
      return { kind: 'pipe', left, right: this.#memberValue() }
    }
    const isOperator =
      (kind === 'sign' && !['}', ','].includes(text)) || (kind === 'name' && ['and', 'or'].includes(text))
    if (isOperator) throw new QueryError(`${text} in the value of a member needs parentheses around the value`, at)
    return left
  }

  #text({ parts = [] }: Token, format: string | undefined): Query {
    const [only, ...more] = parts
    if (more.length === 0) return literal(typeof only === 'string' ? only : '')
    const read = parts.map((part) => (typeof part === 'string' ? part : new Parser(part).whole()))
    return { kind: 'text', parts: read, format }
  }
}

const identity: Query = { kind: 'identity' }

function literal(value: string | number | boolean | null): Query {
  return { kind: 'literal', value }
}

function indexed(of: Query, by: Query): Asked {
  return { kind: 'index', of, by }
}
