import type { Token } from 'stream-json/core/parser.js'

/** Writes the tokens of one value as JSON again: numbers with the digits that they came with. */
export class TokenWriter {
  text = ''
  #depth = 0
  /** Whether something stands before the next value in its array or object. */
  #needsComma = false

  /** How long the text is so far. */
  get length(): number {
    return this.text.length
  }

  /** Whether the value is complete. */
  get isDone(): boolean {
    return this.#depth === 0 && this.text !== ''
  }

  add(token: Token): void {
    switch (token.name) {
      case 'startObject':
        this.#start('{')
        break
      case 'startArray':
        this.#start('[')
        break
      case 'endObject':
        this.#end('}')
        break
      case 'endArray':
        this.#end(']')
        break
      case 'keyValue':
        this.text += `${this.#needsComma ? ',' : ''}${JSON.stringify(token.value)}:`
        this.#needsComma = false
        break
      case 'stringValue':
        this.#scalar(JSON.stringify(token.value))
        break
      case 'numberValue':
        this.#scalar(token.value)
        break
      case 'nullValue':
        this.#scalar('null')
        break
      case 'trueValue':
        this.#scalar('true')
        break
      case 'falseValue':
        this.#scalar('false')
        break
      default:
        throw new TypeError(`a token ${token.name} came, which was not asked for`)
    }
  }

  #start(bracket: string): void {
    this.text += this.#needsComma ? `,${bracket}` : bracket
    this.#depth += 1
    this.#needsComma = false
  }

  #end(bracket: string): void {
    this.text += bracket
    this.#depth -= 1
    this.#needsComma = true
  }

  #scalar(text: string): void {
    this.text += this.#needsComma ? `,${text}` : text
    this.#needsComma = true
  }
}
