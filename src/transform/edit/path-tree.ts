/**
 * What is to be done with the members of a record, as a tree of their names, so that one walk over the bytes finds them all.
 *
 *     where  level               (record)
 *     set    geo.country    ▶     ├─ level      is read
 *     remove geo.lat              └─ geo
 *                                     ├─ country   is set
 *                                     └─ lat       is removed
 */
import { type Part, toPart } from '../../records/json-find.ts'
import type { Replacement } from './replacement.ts'

/** What happens to a member; `stays` is that of a node that stands for what is in it, or that is only read. */
export type Role = 'stays' | 'set' | 'remove' | 'rename'

/** How many places the table of a node's members has: a power of two. */
const places = 64
/** Lengths differ by little, first letters by more: so both are told apart in few places. */
const lengthStep = 4

/** A member of a record, or an element: by its name in what it is in. */
export class PathNode {
  /** Counts the nodes of a tree. */
  readonly id: number
  /** `undefined` of the root, which stands for the record. */
  readonly parent: PathNode | undefined
  readonly key: string
  /** The names on the way to it, as the user writes them. */
  readonly path: string
  readonly children: PathNode[] = []
  role: Role = 'stays'
  /** Of what is set: what it becomes. */
  value: Replacement | undefined
  /** Of what is renamed: the new name in its quotes. */
  newKey: Buffer | undefined
  /** The member that takes this one's name when it is renamed. */
  replacedBy: PathNode | undefined
  /** When it was first said that it, or something in it, is set: what is missing is added in this order. */
  setOrder = Number.POSITIVE_INFINITY
  /** Whether its value is asked for. */
  isRead = false
  /** Whether it stays in what keeps some members alone: as a whole, or for what is kept in it. */
  isKept = false
  /** Whether only those of its members stay that are kept. */
  keepsSome = false
  /** Whether any of its members, at any depth, is read; and whether one is set; and whether something happens to one of its own. */
  readsInside = false
  setsInside = false
  changes = false
  /** Whether names must be decoded to be compared: bytes that are no UTF-8 become U+FFFD, and half a surrogate pair has no bytes. */
  #decodes = false
  readonly #part: Part
  readonly #byName = new Map<string, PathNode>()
  readonly #byBytes: (readonly PathNode[] | undefined)[] = Array.from({ length: places }, () => undefined)

  constructor(id: number, parent: PathNode | undefined, key: string, path: string) {
    this.id = id
    this.parent = parent
    this.key = key
    this.path = path
    this.#part = toPart(key)
  }

  /** The index that its name is in an array; -1 where it is none. */
  get index(): number {
    return this.#part.index
  }

  /** Whether its members are to be looked at. */
  get isOpened(): boolean {
    return this.children.length > 0 || this.keepsSome
  }

  /** The member of that name. */
  named(key: string): PathNode | undefined {
    return this.#byName.get(key)
  }

  /** Adds a member. */
  add(child: PathNode): void {
    this.children.push(child)
    this.#byName.set(child.key, child)
    if (/[\uD800-\uDFFF\uFFFD]/u.test(child.key)) this.#decodes = true
    const place = placeOf(child.#part.bytes.length - 1, child.#part.bytes[0] ?? 0)
    this.#byBytes[place] = [...(this.#byBytes[place] ?? []), child]
  }

  /**
   * The member whose name stands in `bytes` from `from` up to `to`, which are inside of its quotes.
   *
   * @param isEscaped - Whether there are escapes in it.
   */
  memberAt(bytes: Buffer, from: number, to: number, isEscaped: boolean): PathNode | undefined {
    if (isEscaped || this.#decodes) return this.#byName.get(decoded(bytes, from - 1, to + 1))
    const candidates = this.#byBytes[placeOf(to - from, bytes[from] ?? 0)]
    if (candidates === undefined) return undefined
    for (const candidate of candidates) if (candidate.#isAt(bytes, from, to)) return candidate
    return undefined
  }

  /** The element at a place of an array. */
  elementAt(index: number): PathNode | undefined {
    for (const child of this.children) if (child.#part.index === index) return child
    return undefined
  }

  /** Finds out what lies inside, from the leaves up. */
  prepare(): void {
    for (const child of this.children) child.prepare()
    // The difference of two that are never set would be no number.
    this.children.sort((one, other) => (one.setOrder === other.setOrder ? 0 : one.setOrder - other.setOrder))
    this.readsInside = this.children.some(({ isRead, readsInside }) => isRead || readsInside)
    this.setsInside = this.children.some(({ role, setsInside }) => role === 'set' || setsInside)
    this.changes =
      this.keepsSome || this.children.some(({ role, changes }) => role !== 'stays' || changes) || this.setsInside
  }

  /** Whether its name stands there. One that can only be written with escapes is found by its name. */
  #isAt(bytes: Buffer, from: number, to: number): boolean {
    const key = this.#part.bytes
    if (to - from !== key.length - 1) return false
    for (let i = 0; i < key.length - 1; i += 1) if (bytes[from + i] !== key[i]) return false
    return true
  }
}

function placeOf(length: number, first: number): number {
  return (length * lengthStep + first) & (places - 1)
}

function decoded(bytes: Buffer, from: number, to: number): string {
  return String(JSON.parse(bytes.toString('utf8', from, to)))
}
