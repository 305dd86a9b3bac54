/** What `edit` is to do, made of its options: a tree of paths, and what is asked about some of them. */
import { describe, OptionError } from '../../errors.ts'
import { namesIn } from '../../records/field-path.ts'
import { stringify } from '../../records/serialise.ts'
import { type FieldPath, FieldReader, namesOf } from '../field.ts'
import { isReader } from '../view.ts'
import { type Condition, conditionOf, type EditTest, equals } from './conditions.ts'
import { type EditOptions, editMistake } from './edit-options.ts'
import { PathNode, type Role } from './path-tree.ts'
import { JsonText, type Replacement } from './replacement.ts'

/** See the head of this file. */
export interface Plan {
  readonly root: PathNode
  /** How many nodes there are. */
  readonly count: number
  readonly conditions: readonly (Condition & { readonly node: PathNode })[]
}

/** @throws OptionError where a path is none, or something is to happen twice to a member. */
export function planOf(options: EditOptions): Plan {
  const builder = new PlanBuilder()
  const conditions = conditionsOf(options.where).map((condition) => ({
    ...condition,
    node: builder.read(condition.path),
  }))
  for (const path of pathsIn('remove', options.remove)) builder.change('remove', path, 'remove')
  for (const [path, name] of Object.entries(options.rename ?? {})) builder.rename(path, name)
  for (const [path, value] of Object.entries(options.set ?? {})) builder.set(path, value)
  const kept = pathsIn('keep', options.keep)
  if (kept.length > 0) builder.keep(kept)
  return { ...builder.finish(), conditions }
}

function conditionsOf(where: EditOptions['where']): readonly Condition[] {
  if (where === undefined) return []
  if (typeof where === 'string') return [conditionOf(where)]
  if (isTexts(where)) {
    return where.map((text: unknown) => {
      if (typeof text === 'string') return conditionOf(text)
      throw editMistake('where', 'each condition in a list must be text', text)
    })
  }
  return Object.entries(where).map(([path, test]) => ({
    path: namesAt('where', path),
    test: isTest(test) ? test : equals(test),
  }))
}

function isTexts(where: NonNullable<EditOptions['where']>): where is readonly string[] {
  return Array.isArray(where)
}

function isTest(given: unknown): given is EditTest {
  return typeof given === 'function'
}

function pathsIn(option: 'remove' | 'keep', given: EditOptions['remove']): readonly (readonly string[])[] {
  const paths = typeof given === 'string' ? [given] : (given ?? [])
  return paths.map((path) => namesAt(option, path))
}

function namesAt(option: keyof EditOptions, path: FieldPath): readonly string[] {
  return namesOf(path, (expected, came) => editMistake(option, `a path must be ${expected}`, came))
}

class PlanBuilder {
  #count = 0
  #sets = 0
  readonly #root = this.#node(undefined, '')
  readonly #changed: PathNode[] = []

  /** The node of a field that is read. */
  read(path: readonly string[]): PathNode {
    const node = this.#at(path)
    node.isRead = true
    return node
  }

  /** Something happens to a member. @throws OptionError where something else does already */
  change(option: keyof EditOptions, path: readonly string[], role: Role): PathNode {
    const node = this.#at(path)
    node.role = role
    for (const other of this.#changed) {
      const [outer, inner] = isInside(node, other) ? [other, node] : [node, other]
      const isSame = outer === inner
      if (!isSame && (!isInside(inner, outer) || outer.role === 'rename')) continue
      // What is removed may hold what is removed, too.
      if (outer.role === 'remove' && inner.role === 'remove') continue
      const words = isSame
        ? 'something else happens to it already'
        : `all of ${describe(outer.path)} becomes something else`
      throw new OptionError(`edit.${option}`, `edit: ${option}: ${describe(node.path)}: ${words}`)
    }
    this.#changed.push(node)
    return node
  }

  rename(from: string, to: string): void {
    const names = namesAt('rename', from)
    const given: unknown = to
    const target = typeof given === 'string' ? namesIn(given) : undefined
    const [newName, ...around] = [...(target ?? [])].reverse()
    if (newName === undefined) throw editMistake('rename', `the new name of ${describe(from)} must be a name`, given)
    const isBeside = around.length === 0 || around.reverse().join('\0') === names.slice(0, -1).join('\0')
    if (!isBeside) {
      throw editMistake(
        'rename',
        `a member stays in its object: to move ${describe(from)}, set the new path to field(…) and remove the old one`,
        given,
      )
    }
    const node = this.change('rename', names, 'rename')
    if (newName === node.key)
      throw editMistake('rename', `the new name of ${describe(from)} must be another one`, given)
    node.newKey = Buffer.from(JSON.stringify(newName))
    const taken = this.#at([...names.slice(0, -1), newName])
    if (taken.replacedBy !== undefined) {
      throw editMistake(
        'rename',
        `${describe(taken.replacedBy.path)} and ${describe(from)} cannot have the same name`,
        given,
      )
    }
    taken.replacedBy = node
  }

  set(path: string, value: unknown): void {
    const names = namesAt('set', path)
    const replacement = this.#replacementOf(path, value)
    const node = this.change('set', names, 'set')
    for (const { path: around, role, replacedBy } of wayTo(node)) {
      if (role !== 'rename' && replacedBy === undefined) continue
      const why =
        replacedBy === undefined
          ? `${describe(around)} gets another name`
          : `${describe(replacedBy.path)} gets the name ${describe(around)}`
      throw editMistake('set', `${why}, so ${describe(path)} cannot be set in the same edit`, value)
    }
    node.value = replacement
    this.#sets += 1
    for (const one of wayTo(node)) one.setOrder = Math.min(one.setOrder, this.#sets)
  }

  /** Keeps some members, and those that are set or renamed. */
  keep(paths: readonly (readonly string[])[]): void {
    const kept = paths.map((path) => this.#at(path))
    // Of what gets another name all stays, unless it is said what in it.
    const others = this.#changed.filter((node) => {
      return node.role === 'set' || (node.role === 'rename' && !kept.some((one) => isInside(one, node)))
    })
    const renamed = this.#changed.filter(({ role }) => role === 'rename')
    const whole = new Set([...kept, ...others])
    for (const node of [...whole, ...renamed]) {
      const way = wayTo(node)
      // What is in something that stays as a whole needs no word of its own.
      const shortest = way.findIndex((one) => whole.has(one))
      for (const one of shortest < 0 ? way : way.slice(0, shortest + 1)) {
        one.isKept = true
        if (one.parent !== undefined) one.parent.keepsSome = true
      }
    }
  }

  finish(): { readonly root: PathNode; readonly count: number } {
    this.#root.prepare()
    return { root: this.#root, count: this.#count }
  }

  #replacementOf(path: string, value: unknown): Replacement {
    if (value instanceof FieldReader) {
      const { id } = this.read(value.path)
      const otherwise = value.default === undefined ? undefined : Buffer.from(JSON.stringify(value.default))
      return { kind: 'field', id, otherwise }
    }
    if (isReader(value)) return { kind: 'made', make: (records, index) => value.read(records, index) }
    if (isMaker(value)) return { kind: 'made', make: (_records, _index, context) => value(context) }
    const json = value instanceof JsonText ? value.text : typeof value === 'bigint' ? String(value) : stringify(value)
    if (typeof json === 'string') return { kind: 'constant', json: Buffer.from(json) }
    throw editMistake('set', `the value of ${describe(path)} must have a form in JSON`, value)
  }

  #at(path: readonly string[]): PathNode {
    let node = this.#root
    for (const key of path) node = node.named(key) ?? this.#node(node, key)
    return node
  }

  #node(parent: PathNode | undefined, key: string): PathNode {
    const before = parent === undefined || parent.path === '' ? '' : `${parent.path}.`
    const node = new PathNode(this.#count, parent, key, parent === undefined ? '' : before + key)
    this.#count += 1
    parent?.add(node)
    return node
  }
}

function isInside(node: PathNode, other: PathNode): boolean {
  for (let at = node.parent; at !== undefined; at = at.parent) if (at === other) return true
  return false
}

/** The nodes on the way from a member of the record to one inside of it. */
function wayTo(node: PathNode): PathNode[] {
  return node.parent === undefined ? [] : [...wayTo(node.parent), node]
}

function isMaker(value: unknown): value is (...context: unknown[]) => unknown {
  return typeof value === 'function'
}
