/**
 * Edits records in their bytes.
 *
 *     walk      {"level":"info","debug":1,"msg":"…"}      where the members stand that something happens to
 *     decide                                              whether the record stays; what each member becomes
 *     splice    {"level":"info"   ✂    ,"text":"…"}       what goes and what comes, in order; all else is copied as it stands
 */

import { HosepipeError } from '../../errors.ts'
import { openBrace, openBracket, quote } from '../../records/json-signs.ts'
import { valueAt } from '../../records/raw-value.ts'
import type { Records } from '../../records/records.ts'
import { stringify } from '../../records/serialise.ts'
import type { Context } from '../view.ts'
import { type EditTest, wrongAnswer } from './conditions.ts'
import type { Container, Member } from './members.ts'
import type { PathNode } from './path-tree.ts'
import type { Plan } from './plan.ts'
import type { Make } from './replacement.ts'
import { Splices } from './splices.ts'
import { Walk } from './walk.ts'

/** Bytes that a member becomes. */
interface Piece {
  readonly bytes: Buffer
  readonly from: number
  readonly to: number
}

const colon = Buffer.from(':')
const comma = Buffer.from(',')
const braceOpening = Buffer.from('{')
const braceClosing = Buffer.from('}')

/** See the head of this file. */
export class Editor {
  /** What the record that was looked at last becomes. */
  readonly splices = new Splices()
  readonly #plan: Plan
  readonly #walk: Walk
  /** The key of each node with the colon behind it, for members that are made. */
  readonly #keys = new Map<PathNode, Buffer>()
  /** What functions and readers say of the record. */
  readonly #made = new Map<PathNode, Piece | undefined>()
  /** The first and the last of the members with a name, by its node, in the container that is looked at. */
  readonly #first: (Member | undefined)[] = []
  readonly #last: (Member | undefined)[] = []
  #records: Records | undefined
  #index = 0
  #context: Context | undefined

  constructor(plan: Plan) {
    this.#plan = plan
    this.#walk = new Walk(plan.root, plan.count)
  }

  /**
   * Looks at one record, and says whether it stays; {@link splices} are what it becomes.
   *
   * @throws SyntaxError when the record is not JSON.
   * @throws Error when it cannot become what it should, or what a function throws.
   */
  edit(records: Records, index: number, context: Context): boolean {
    const { bytes } = records
    const start = records.start(index)
    const end = records.ends[index] ?? 0
    this.splices.clear()
    if (this.#made.size > 0) this.#made.clear()
    if (!this.#walk.over(bytes, start, end)) {
      // It says where the mistake is.
      JSON.parse(bytes.toString('utf8', start, end))
      throw new HosepipeError(
        'Transform.Failed',
        'the record cannot be edited: JSON.parse takes it for JSON, but the walk over its bytes does not',
      )
    }
    for (const { node, test } of this.#plan.conditions) if (!this.#holds(node, test, bytes)) return false
    const { root } = this.#plan
    if (!root.changes) return true
    this.#records = records
    this.#index = index
    this.#context = context
    if (this.#walk.count === 0 && (root.setsInside || root.keepsSome)) {
      throw new HosepipeError('Transform.Failed', 'the record is no object, so it has no members to be set or kept')
    }
    for (let i = 0; i < this.#walk.count; i += 1) {
      const container = this.#walk.container(i)
      if (container !== undefined) this.#change(container)
    }
    return true
  }

  /** Lets the records go that were looked at last. */
  release(): void {
    this.#records = undefined
    this.#context = undefined
    this.#made.clear()
    this.splices.clear()
  }

  #holds(node: PathNode, test: EditTest, bytes: Buffer): boolean {
    const to = this.#walk.to[node.id] ?? 0
    const answer: unknown = test(to === 0 ? undefined : valueAt(bytes, this.#walk.from[node.id] ?? 0, to))
    if (typeof answer !== 'boolean') throw wrongAnswer(answer)
    return answer
  }

  #change(container: Container): void {
    const { node, isArray } = container
    for (const { id } of node.children) this.#first[id] = this.#last[id] = undefined
    for (let member = container.first; member !== undefined; member = member.next) {
      if (member.node === undefined) continue
      const { id } = member.node
      this.#first[id] ??= member
      this.#last[id] = member
    }
    const { parent, around } = container
    container.counts = parent === undefined || (this.#lastOf(parent.node) === parent && around?.counts === true)
    let removed = 0
    let leading = 0
    for (let member = container.first; member !== undefined; member = member.next) {
      if (!this.#goes(container, member)) {
        this.#become(member, isArray)
        continue
      }
      // Those in front of all that stay take the comma behind them along, all others that before them.
      if (member.ordinal === leading) {
        leading += 1
        this.splices.add(member.start, member.nextStart)
      } else this.splices.add(member.behindPrevious, member.to)
      removed += 1
    }
    if (node.setsInside) this.#setMissing(container, container.count > removed)
  }

  #goes({ node: within, isArray }: Container, member: Member): boolean {
    const { node } = member
    if (node === undefined) return true
    if (node.role === 'remove') return true
    // Of a name that comes twice, the last one says whether there is anything in it to keep.
    if (within.keepsSome && !(node.isKept && (!node.keepsSome || this.#isContainer(this.#lastOf(node) ?? member))))
      return true
    if (node.role === 'rename') return false
    if (!isArray && this.#lastOf(node.replacedBy) !== undefined) return true
    return node.role === 'set' && this.#first[node.id] !== member && this.#pieceOf(node) !== undefined
  }

  #lastOf(node: PathNode | undefined): Member | undefined {
    return node && this.#last[node.id]
  }

  /** What a value is, in words. */
  #kindOf({ from }: Member): string {
    const byte = this.#records?.bytes[from] ?? 0
    if (byte === quote) return 'a string'
    if (byte === 0x6e) return 'null'
    return byte === 0x74 || byte === 0x66 ? 'a boolean' : 'a number'
  }

  #isContainer({ from }: Member): boolean {
    const byte = this.#records?.bytes[from]
    return byte === openBrace || byte === openBracket
  }

  #become({ node, start, keyEnd, from, to }: Member, isArray: boolean): void {
    if (node?.role === 'rename' && !isArray) this.splices.add(start, keyEnd, node.newKey)
    const piece = node?.role === 'set' ? this.#pieceOf(node) : undefined
    if (piece !== undefined) this.splices.add(from, to, piece.bytes, piece.from, piece.to)
  }

  /** Sets what is not there yet. @param hasMembers - Whether any is left that another one comes behind */
  #setMissing(container: Container, hasMembers: boolean): void {
    let needsComma = hasMembers
    for (const child of container.node.children) {
      if (!this.#hasSomething(child)) continue
      const last = this.#lastOf(child)
      if (last === undefined) {
        if (container.isArray) {
          if (container.counts) throw notSet(child, `${named(container.node)} is an array without such an element`)
          continue
        }
        if (needsComma) this.splices.add(container.behindLast, container.behindLast, comma)
        needsComma = true
        this.#insert(child, container.behindLast)
      } else if (child.role !== 'set' && container.counts && !this.#isContainer(last)) {
        throw notSet(child, `${named(child)} is ${this.#kindOf(last)}, and no object`)
      }
    }
  }

  /** Whether there is a value for a node, or for one inside of it. */
  #hasSomething(node: PathNode): boolean {
    if (node.role === 'set') return this.#pieceOf(node) !== undefined
    return node.setsInside && node.children.some((child) => this.#hasSomething(child))
  }

  /** Adds a member with all that is set in it. */
  #insert(node: PathNode, at: number): void {
    this.splices.add(at, at, this.#keyOf(node))
    this.splices.add(at, at, colon)
    const piece = node.role === 'set' ? this.#pieceOf(node) : undefined
    if (piece !== undefined) {
      this.splices.add(at, at, piece.bytes, piece.from, piece.to)
      return
    }
    this.splices.add(at, at, braceOpening)
    const children = node.children.filter((child) => this.#hasSomething(child))
    for (const [i, child] of children.entries()) {
      if (i > 0) this.splices.add(at, at, comma)
      this.#insert(child, at)
    }
    this.splices.add(at, at, braceClosing)
  }

  #keyOf(node: PathNode): Buffer {
    const known = this.#keys.get(node)
    if (known !== undefined) return known
    const key = Buffer.from(JSON.stringify(node.key))
    this.#keys.set(node, key)
    return key
  }

  /** What a member is set to; `undefined` where that is nothing. */
  #pieceOf(node: PathNode): Piece | undefined {
    const { value } = node
    if (value === undefined || this.#records === undefined) return undefined
    if (value.kind === 'constant') return pieceFrom(value.json)
    if (value.kind === 'field') {
      const to = this.#walk.to[value.id] ?? 0
      if (to > 0) return { bytes: this.#records.bytes, from: this.#walk.from[value.id] ?? 0, to }
      return value.otherwise && pieceFrom(value.otherwise)
    }
    if (!this.#made.has(node)) this.#made.set(node, this.#make(value.make, node))
    return this.#made.get(node)
  }

  #make(make: Make, { path }: PathNode): Piece | undefined {
    if (this.#records === undefined || this.#context === undefined) return undefined
    const made = make(this.#records, this.#index, this.#context)
    if (made === undefined) return undefined
    const json = stringify(made)
    if (typeof json === 'string') return pieceFrom(Buffer.from(json))
    throw new HosepipeError('Transform.NotSerialisable', `what ${JSON.stringify(path)} is set to: ${json.message}`)
  }
}

function pieceFrom(bytes: Buffer): Piece {
  return { bytes, from: 0, to: bytes.length }
}

/** The first member at or inside of a node that is to be set. */
function firstSet(node: PathNode): PathNode {
  const inside = node.children.find(({ role, setsInside }) => role === 'set' || setsInside)
  return node.role === 'set' || inside === undefined ? node : firstSet(inside)
}

function named({ path }: PathNode): string {
  return path === '' ? 'the record' : JSON.stringify(path)
}

function notSet(node: PathNode, why: string): HosepipeError {
  return new HosepipeError('Transform.Failed', `${JSON.stringify(firstSet(node).path)} cannot be set: ${why}`)
}
