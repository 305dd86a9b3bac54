import { describe, OptionError } from '../errors.ts'

const stage = 'fromDeliveryStream'

/** A mistake in a configuration, or what cannot be honoured in it. @param path - The member's */
export function refusal(path: string, words: string): OptionError {
  return new OptionError(`${stage}.${path}`, `${stage}: ${path} ${words}`)
}

/** Reads the members of an object one after another; what was not asked for by the end is refused. */
export class Members {
  /** Where the object stands: `ExtendedS3DestinationConfiguration.BufferingHints`; empty for the whole. */
  readonly path: string
  readonly #left: Map<string, unknown>

  /** @throws OptionError where it is no object */
  constructor(path: string, value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw refusal(path || 'the configuration', `must be an object, but came as ${describe(value)}`)
    }
    this.path = path
    this.#left = new Map(Object.entries(value).filter(([, one]) => one !== undefined && one !== null))
  }

  /** The path of a member. */
  at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`
  }

  has(name: string): boolean {
    return this.#left.has(name)
  }

  text(name: string): string | undefined {
    return this.#take(name, 'a string', (value) => typeof value === 'string')
  }

  /** The same, and it is left for others. */
  peekedText(name: string): string | undefined {
    const value = this.#left.get(name)
    return typeof value === 'string' ? value : undefined
  }

  /** A text that has to be there. */
  neededText(name: string): string {
    return this.text(name) ?? this.#missing(name)
  }

  /** One of some words. */
  word<Word extends string>(name: string, words: readonly Word[], otherwise: Word): Word {
    const value = this.text(name) ?? otherwise
    const found = words.find((word) => word === value)
    if (found !== undefined) return found
    throw refusal(this.at(name), `must be one of ${words.join(', ')}, but came as ${describe(value)}`)
  }

  /** A number between two, both among them. */
  number(name: string, min: number, max: number, otherwise: number): number {
    const isNumber = (value: unknown): value is number => typeof value === 'number' && value >= min && value <= max
    return this.#take(name, `a number from ${min} to ${max}`, isNumber) ?? otherwise
  }

  /** A moment, in milliseconds since 1970: seconds, as the API has them in JSON; or a date as programs have it, or as text in ISO 8601. */
  instant(name: string): number | undefined {
    const isInstant = (value: unknown): value is number | string | Date => !Number.isNaN(timeOf(value))
    const value = this.#take(name, 'a time, in seconds since 1970 or in ISO 8601', isInstant)
    return value === undefined ? undefined : timeOf(value)
  }

  flag(name: string): boolean | undefined {
    return this.#take(name, 'true or false', (value) => typeof value === 'boolean')
  }

  section(name: string): Members | undefined {
    const value = this.#left.get(name)
    this.#left.delete(name)
    return value === undefined ? undefined : new Members(this.at(name), value)
  }

  /** An object that has to be there. */
  neededSection(name: string): Members {
    return this.section(name) ?? this.#missing(name)
  }

  /** A list of objects. */
  list(name: string): readonly Members[] {
    const isList = (value: unknown): value is unknown[] => Array.isArray(value)
    const values = this.#take(name, 'a list', isList) ?? []
    return values.map((value, i) => new Members(`${this.at(name)}[${i}]`, value))
  }

  /** Texts by their names. */
  texts(name: string): Readonly<Record<string, string>> {
    const isTexts = (value: unknown): value is Record<string, string> =>
      typeof value === 'object' && value !== null && Object.values(value).every((one) => typeof one === 'string')
    return this.#take(name, 'an object of texts', isTexts) ?? {}
  }

  /** Members that mean nothing here: roles, networks and logs of the service. */
  pass(...names: readonly string[]): void {
    for (const name of names) this.#left.delete(name)
  }

  /** What cannot be honoured yet, and why. @throws OptionError where it is given */
  refuse(name: string, why: string): void {
    if (this.#left.has(name)) throw refusal(this.at(name), `cannot be honoured: ${why}`)
  }

  /** @throws OptionError where something is left that nobody has asked for */
  end(): void {
    for (const name of this.#left.keys()) throw refusal(this.at(name), 'is not known here, and cannot be honoured')
  }

  #take<Value>(name: string, expected: string, accepts: (value: unknown) => value is Value): Value | undefined {
    const value = this.#left.get(name)
    this.#left.delete(name)
    if (value === undefined || accepts(value)) return value
    throw refusal(this.at(name), `must be ${expected}, but came as ${describe(value)}`)
  }

  #missing(name: string): never {
    throw refusal(this.at(name), 'is missing')
  }
}

function timeOf(value: unknown): number {
  if (typeof value === 'number') return value * 1000
  return value instanceof Date || typeof value === 'string' ? new Date(value).getTime() : Number.NaN
}
