import { Assembler } from 'stream-json/core/assembler.js'
import type { Token } from 'stream-json/core/parser.js'

/**
 * How deep arrays and objects may nest; RFC 8259, section 9, lets a parser set a limit. stream-json's own filters have the same. A
 * value nested some thousand times deeper could not be written by `JSON.stringify`.
 */
const maxDepth = 1024

/**
 * What the tokens are that come: the first of all; those of records in an array, or of records one after another; those on the way
 * to the array at the path; or any behind the end.
 */
type State = 'start' | 'elements' | 'values' | 'search' | 'done'

/** Reads stream-json's tokens: which of them make up a record, and what value that is. Errors say what is wrong, not where. */
export class ValueReader {
  readonly #path: readonly string[]
  readonly #assembler = new Assembler()
  #state: State = 'start'
  #values: unknown[] = []
  #count = 0
  /** How many arrays and objects are open. */
  #depth = 0
  /** How many keys of the path lead to the object that is being searched. */
  #matched = 0
  /** How many arrays and objects are open in the value that is being passed over. */
  #skipped = 0
  #isOnPath = false
  #isFound = false

  /** @param path - Keys with dots between them; `undefined` to let the first token decide. */
  constructor(path: string | undefined) {
    this.#path = path === undefined ? [] : path.split('.')
  }

  /** The values that were found since the last `takeValues`. */
  get values(): readonly unknown[] {
    return this.#values
  }

  /** How many values were found so far. */
  get count(): number {
    return this.#count
  }

  /** Whether no array or object of a record is open. */
  get isIdle(): boolean {
    return this.#assembler.done
  }

  takeValues(): readonly unknown[] {
    const values = this.#values
    this.#values = []
    return values
  }

  /** @throws Error for what is JSON, but not in the form that was asked for. */
  take(token: Token): void {
    if (token.name === 'startObject' || token.name === 'startArray') this.#descend()
    else if (token.name === 'endObject' || token.name === 'endArray') this.#depth -= 1
    switch (this.#state) {
      case 'start':
        this.#begin(token)
        return
      case 'elements':
        if (token.name === 'endArray' && this.#assembler.done) this.#state = this.#path.length > 0 ? 'search' : 'done'
        else this.#assemble(token)
        return
      case 'values':
        this.#assemble(token)
        return
      case 'search':
        this.#search(token)
        return
      case 'done':
        throw new Error(
          `there is ${kindOf(token)} behind the end of the top-level ${this.#isFound ? 'object' : 'array'}`,
        )
    }
  }

  /** @throws Error if no value was there to look for the path in. */
  end(): void {
    if (this.#path.length > 0 && this.#state === 'start') throw this.#missing('the input is empty')
  }

  #begin(token: Token): void {
    if (this.#path.length > 0) {
      if (token.name !== 'startObject') throw this.#missing(`the top-level value is ${kindOf(token)} and not an object`)
      this.#state = 'search'
    } else if (token.name === 'startArray') this.#state = 'elements'
    else {
      this.#state = 'values'
      this.#assemble(token)
    }
  }

  #assemble(token: Token): void {
    const assembler = this.#assembler
    assembler.consume(token)
    if (!assembler.done) return
    this.#values.push(assembler.current)
    this.#count += 1
  }

  #search(token: Token): void {
    const isStart = token.name === 'startObject' || token.name === 'startArray'
    if (this.#skipped > 0) {
      if (isStart) this.#skipped += 1
      else if (token.name === 'endObject' || token.name === 'endArray') this.#skipped -= 1
    } else if (token.name === 'keyValue') this.#isOnPath = this.#isKey(token.value)
    else if (token.name === 'endObject') this.#leave()
    else if (this.#isOnPath) this.#follow(token)
    else if (isStart) this.#skipped = 1
  }

  #isKey(key: string): boolean {
    if (key !== this.#path[this.#matched]) return false
    // JSON.parse would take the second one and forget the first, whose elements have gone on already.
    if (this.#isFound) throw new Error(`the key ${JSON.stringify(key)} of the path ${this.#name()} stands there twice`)
    return true
  }

  /** The value of a key of the path. */
  #follow(token: Token): void {
    this.#isOnPath = false
    if (this.#matched === this.#path.length - 1) {
      if (token.name !== 'startArray') throw this.#missing(`it is ${kindOf(token)}`)
      this.#isFound = true
      this.#state = 'elements'
      return
    }
    const key = JSON.stringify(this.#path[this.#matched])
    if (token.name !== 'startObject') throw this.#missing(`${key} is ${kindOf(token)} and not an object`)
    this.#matched += 1
  }

  /** An object on the path ends. */
  #leave(): void {
    if (this.#matched > 0) {
      this.#matched -= 1
      return
    }
    if (!this.#isFound) throw this.#missing('the object ends without it')
    this.#state = 'done'
  }

  #descend(): void {
    this.#depth += 1
    if (this.#depth > maxDepth) throw new Error(`arrays and objects nest deeper than ${maxDepth}`)
  }

  #missing(why: string): Error {
    return new Error(`there is no array at the path ${this.#name()}: ${why}`)
  }

  #name(): string {
    return JSON.stringify(this.#path.join('.'))
  }
}

const kinds: Partial<Record<Token['name'], string>> = {
  startObject: 'an object',
  startArray: 'an array',
  stringValue: 'a string',
  numberValue: 'a number',
  nullValue: 'null',
  trueValue: 'true',
  falseValue: 'false',
}

function kindOf(token: Token): string {
  return kinds[token.name] ?? token.name
}
