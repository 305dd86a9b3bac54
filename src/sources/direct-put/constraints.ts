import { describe } from '../../errors.ts'
import { ApiError, notSerialised } from './api-error.ts'

/** Members of a request as they came. */
export type Members = Readonly<Record<string, unknown>>

/** What a text may be. */
interface TextRule {
  readonly min?: number
  readonly max?: number
  readonly pattern?: RegExp
  readonly words?: readonly string[]
}

/**
 * Reads the members of a request as its model has them (API reference of the service). Wrong types are told at once, as
 * `SerializationException`; what breaks a constraint is gathered, and told together as `ValidationException`.
 */
export class Constraints {
  readonly #members: Members
  readonly #broken: string[] = []

  constructor(members: Members) {
    this.#members = members
  }

  /** A text that has to be there. */
  text(name: string, rule: TextRule = {}): string {
    return this.optionalText(name, rule) ?? this.#missing(name)
  }

  optionalText(name: string, { min = 0, max = Number.POSITIVE_INFINITY, pattern, words }: TextRule = {}) {
    const value = this.#members[name]
    if (value === undefined || value === null) return undefined
    if (typeof value !== 'string') throw wrongType(name, 'a string', value)
    const shown = value.length > 256 ? `${value.slice(0, 256)}…` : value
    if (value.length > max) this.broken(name, shown, `Member must have length less than or equal to ${max}`)
    if (value.length < min) this.broken(name, shown, `Member must have length greater than or equal to ${min}`)
    if (pattern !== undefined && !pattern.test(value)) {
      this.broken(name, shown, `Member must satisfy regular expression pattern: ${pattern.source.slice(1, -1)}`)
    }
    if (words !== undefined && !words.includes(value)) {
      this.broken(name, shown, `Member must satisfy enum value set: [${words.join(', ')}]`)
    }
    return value
  }

  /** A whole number between two, both among them. */
  number(name: string, { min, max, otherwise }: { min: number; max: number; otherwise: number }): number {
    const value = this.#members[name] ?? otherwise
    if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(name, 'a whole number', value)
    if (value > max) this.broken(name, value, `Member must have value less than or equal to ${max}`)
    if (value < min) this.broken(name, value, `Member must have value greater than or equal to ${min}`)
    return value
  }

  list(name: string, { min, max }: { min: number; max: number }): readonly unknown[] {
    const value = this.#members[name] ?? undefined
    if (value === undefined) return this.#missing(name) ?? []
    if (!Array.isArray(value)) throw wrongType(name, 'a list', value)
    if (value.length > max) {
      this.broken(name, `a list of ${value.length}`, `Member must have length less than or equal to ${max}`)
    }
    if (value.length < min) this.broken(name, '[]', `Member must have length greater than or equal to ${min}`)
    return value
  }

  optionalObject(name: string): Members | undefined {
    const value = this.#members[name] ?? undefined
    if (value === undefined) return undefined
    if (!isMembers(value)) throw wrongType(name, 'an object', value)
    return value
  }

  /** Takes note of a constraint that is not kept. @param at - The path of the member: `records.1.member.data` */
  broken(at: string, value: unknown, constraint: string): void {
    const path = at.charAt(0).toLowerCase() + at.slice(1)
    this.#broken.push(`Value '${value}' at '${path}' failed to satisfy constraint: ${constraint}`)
  }

  /** @throws ApiError `ValidationException` with all that was broken. */
  check(): void {
    const { length } = this.#broken
    if (length === 0) return
    const head = `${length} validation error${length === 1 ? '' : 's'} detected: `
    throw new ApiError('ValidationException', head + this.#broken.slice(0, 10).join('; '))
  }

  #missing(name: string): never {
    this.broken(name, null, 'Member must not be null')
    this.check()
    throw new Error('unreachable')
  }
}

/** Whether a value is an object with members. */
export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrongType(name: string, expected: string, value: unknown): ApiError {
  return notSerialised(`${name} must be ${expected}, but came as ${describe(value)}`)
}
