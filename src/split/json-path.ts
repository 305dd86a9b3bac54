/** How far the keys of a path lead in the objects that are open. */
export class JsonPath {
  readonly #names: readonly string[]
  /** How many keys of the path lead to the object that is being searched. */
  #matched = 0
  #isFound = false

  /** @param names - The keys on the way to an array. */
  constructor(names: readonly string[]) {
    this.#names = names
  }

  get isFound(): boolean {
    return this.#isFound
  }

  /** How many objects are open. */
  get depth(): number {
    return this.#matched + 1
  }

  /** A document begins. */
  start(): void {
    this.#matched = 0
    this.#isFound = false
  }

  /** @returns Whether a key is the next one of the path. @throws Error where it stands there twice. */
  matches(key: string): boolean {
    if (key !== this.#names[this.#matched]) return false
    // JSON.parse would take the second one and forget the first, whose elements have gone on already.
    if (this.#isFound) throw new Error(`the key ${JSON.stringify(key)} of the path ${this.#text()} stands there twice`)
    return true
  }

  /** The value of a matching key begins. @returns Whether it is the array at the path. @throws Error where it cannot be followed. */
  follow(byte: number): boolean {
    if (this.#matched === this.#names.length - 1) {
      if (byte !== 0x5b) throw this.missing(`it is ${kindOf(byte)}`)
      this.#isFound = true
      return true
    }
    const key = JSON.stringify(this.#names[this.#matched])
    if (byte !== 0x7b) throw this.missing(`${key} is ${kindOf(byte)} and not an object`)
    this.#matched += 1
    return false
  }

  /** An object ends. @returns Whether it was the outermost one. */
  leave(): boolean {
    if (this.#matched > 0) {
      this.#matched -= 1
      return false
    }
    if (!this.#isFound) throw this.missing('the object ends without it')
    return true
  }

  missing(why: string): Error {
    return new Error(`there is no array at the path ${this.#text()}: ${why}`)
  }

  #text(): string {
    return JSON.stringify(this.#names.join('.'))
  }
}

/** What a value is that starts with a byte. */
export function kindOf(byte: number): string {
  const character = String.fromCharCode(byte)
  if (character === '{') return 'an object'
  if (character === '[') return 'an array'
  if (character === '"') return 'a string'
  if (/[-0-9]/.test(character)) return 'a number'
  if (character === 'n') return 'null'
  if (character === 't') return 'true'
  return character === 'f' ? 'false' : JSON.stringify(character)
}
