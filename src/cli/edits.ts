/** `--where`, `--set`, `--rename`, `--remove` and `--keep`, and what stands for them in a config. */
import { InvalidArgumentError } from 'commander'
import { edit, type FieldReader, field, metadata, type RecordFunction } from '../index.ts'
import { namesIn } from '../records/field-path.ts'
import { isJson } from '../transform/edit/conditions.ts'
import { JsonText } from '../transform/edit/replacement.ts'
import { isObject } from './config.ts'
import { passOn } from './forms.ts'

/** The flags that edit records, without their dashes. */
export const editFlags = ['where', 'set', 'rename', 'remove', 'keep'] as const

/** One of {@link editFlags}. */
export type EditFlag = (typeof editFlags)[number]

/** What is written behind each flag, for its form. */
export const editForms: Readonly<Record<EditFlag, string>> = {
  where: 'condition',
  set: 'path=value',
  rename: 'path=name',
  remove: 'path',
  keep: 'path',
}

/**
 * The edits that flags next to one another stand for. They count in the order in which they are written, as all functions do, but what has nothing to do with
 * one another is one edit, and one walk over the bytes.
 */
export class FlagEdits {
  readonly where: string[] = []
  readonly set: Record<string, unknown> = {}
  readonly rename: Record<string, string> = {}
  readonly remove: string[] = []
  readonly keep: string[] = []
  readonly #named: string[] = []

  /** Adds a flag. @returns whether it could be: otherwise another edit comes behind this one. @throws InvalidArgumentError */
  add(flag: EditFlag, text: string): boolean {
    if (flag === 'where') {
      if (this.#named.length > 0) return false
      this.where.push(text)
      return true
    }
    // A comma may be part of a name, but what is meant is mostly a list, and all would go that it names as one.
    if ((flag === 'remove' || flag === 'keep') && text.includes(',')) {
      throw new InvalidArgumentError(
        'It must be one path: give the flag again for another, or a config for a name with a comma.',
      )
    }
    if (flag === 'remove') return this.#takes([text]) && this.remove.push(text) > 0
    if (flag === 'keep') {
      // What was set or renamed before would stay, too.
      if (this.#named.length > this.keep.length) return false
      this.keep.push(text)
      this.#named.push(text)
      return true
    }
    const [, path = '', value] = /^\s*([^=]+?)\s*=\s*(.*?)\s*$/s.exec(text) ?? []
    if (value === undefined) throw new InvalidArgumentError(`It must be ${editForms[flag].toUpperCase()}.`)
    if (flag === 'rename') {
      const around = path.split('.').slice(0, -1)
      const target = value.includes('.') ? value : [...around, value].join('.')
      if (!this.#takes([path, target])) return false
      this.rename[path] = value
      return true
    }
    const given = setValue(value)
    if (!this.#takes([path, ...(isReader(given) ? [given.name] : [])])) return false
    this.set[path] = given
    return true
  }

  /** The options of `edit()`. */
  options(): object {
    const { where, set, rename, remove, keep } = this
    const given = Object.entries({ where, set, rename, remove, keep })
    return Object.fromEntries(given.filter(([, value]) => Object.keys(value).length > 0))
  }

  /** Notes paths, unless one of them is, or is inside of, or holds one that was named before. */
  #takes(paths: readonly string[]): boolean {
    if (
      paths.some((path) =>
        this.#named.some((other) => `${path}.`.startsWith(`${other}.`) || `${other}.`.startsWith(`${path}.`)),
      )
    ) {
      return false
    }
    this.#named.push(...paths)
    return true
  }
}

/** The value behind `--set PATH=`: JSON, or text; behind a dot stands another field, whose bytes are copied. */
function setValue(text: string): unknown {
  const names = text.startsWith('.') ? namesIn(text.slice(1)) : undefined
  if (names !== undefined) return field(names)
  return isJson(text) ? new JsonText(text) : text
}

function isReader(value: unknown): value is FieldReader {
  return isObject(value) && 'name' in value && 'path' in value && 'read' in value
}

/** Makes the function of a config's `edit`. @throws Error in words */
export function editOf(given: unknown): RecordFunction {
  if (!isObject(given) || !isObject(given.set)) return edit(passOn(Object(given)))
  const set = Object.entries(given.set).map(([path, value]) => [path, fromConfig(value)])
  return edit(passOn({ ...given, set: Object.fromEntries(set) }))
}

/** What stands in a config for a field of the record, or for what its source knows. */
function fromConfig(value: unknown): unknown {
  if (!isObject(value) || Object.keys(value).length !== 1) return value
  if (typeof value.field === 'string') return field(value.field)
  return typeof value.metadata === 'string' ? metadata(value.metadata) : value
}
