/**
 * Walks over a record, finds the members of a tree of paths in it, and sees that the whole of it is JSON. Nothing is decided here: a
 * member that comes twice counts where it stands last, and what another one becomes may stand behind it.
 */
import { closeBrace, closeBracket, comma, openBrace, openBracket, quote } from '../../records/json-signs.ts'
import { spaceEnd, stringEnd } from '../../records/json-tokens.ts'
import { behindColon, valueEnd } from '../../records/skip-value.ts'
import { viewOf } from '../../records/words.ts'
import { Container, Member } from './members.ts'
import type { PathNode } from './path-tree.ts'

/** A record with more members than this is not what the next ones will be like. */
const maxPooled = 16_384

/** See the head of this file. */
export class Walk {
  /** Where the value of each node that is read stands, by its id; 0 where there is none. */
  readonly from: Int32Array
  readonly to: Int32Array
  /** The containers with a member that something may happen to; those around come first. */
  readonly #containers: Container[] = []
  readonly #members: Member[] = []
  #containerCount = 0
  #memberCount = 0
  readonly #root: PathNode
  #bytes: Buffer = Buffer.alloc(0)
  #words: DataView = viewOf(this.#bytes)
  #end = 0
  #lastWord = 0

  /** @param count - How many nodes the tree has. */
  constructor(root: PathNode, count: number) {
    this.#root = root
    this.from = new Int32Array(count)
    this.to = new Int32Array(count)
  }

  /** How many containers the last walk has found. */
  get count(): number {
    return this.#containerCount
  }

  /** One of them. */
  container(index: number): Container | undefined {
    return this.#containers[index]
  }

  /**
   * Walks over the record that stands in `bytes` from `start` up to `end`.
   *
   * @returns Whether it is JSON.
   */
  over(bytes: Buffer, start: number, end: number): boolean {
    this.#bytes = bytes
    this.#words = viewOf(bytes)
    this.#end = end
    this.#lastWord = bytes.length - 4
    this.#containerCount = 0
    this.#memberCount = 0
    this.to.fill(0)
    if (this.#members.length > maxPooled) this.#members.length = 0
    if (this.#containers.length > maxPooled) this.#containers.length = 0
    const at = this.#value(this.#root, spaceEnd(bytes, start, end), undefined, undefined)
    return at !== 0 && spaceEnd(bytes, at, end) === end
  }

  /** Walks over a value that a node stands for. @returns the place behind it; 0 if it is no JSON */
  #value(node: PathNode, from: number, parent: Member | undefined, around: Container | undefined): number {
    if (node.readsInside) this.#forget(node)
    const byte = this.#bytes[from]
    const isContainer = node.isOpened && (byte === openBrace || byte === openBracket) && from < this.#end
    const at = isContainer
      ? this.#container(node, from, byte === openBracket, parent, around)
      : valueEnd(this.#bytes, this.#words, from, this.#end, this.#lastWord)
    if (node.isRead) {
      this.from[node.id] = from
      this.to[node.id] = at
    }
    return at
  }

  /** What was found in a value that comes again does not count. */
  #forget(node: PathNode): void {
    for (const child of node.children) {
      this.to[child.id] = 0
      if (child.readsInside) this.#forget(child)
    }
  }

  #container(
    node: PathNode,
    open: number,
    isArray: boolean,
    parent: Member | undefined,
    around: Container | undefined,
  ): number {
    const bytes = this.#bytes
    const words = this.#words
    const end = this.#end
    const lastWord = this.#lastWord
    const close = isArray ? closeBracket : closeBrace
    const container = node.changes ? this.#open(node, isArray, parent, around) : undefined
    let last: Member | undefined
    let behind = open + 1
    let at = spaceEnd(bytes, behind, end)
    if (at < end && bytes[at] === close) {
      if (container !== undefined) container.behindLast = behind
      return at + 1
    }
    for (let ordinal = 0; ; ordinal += 1) {
      const start = at
      if (last !== undefined) last.nextStart = start
      last = undefined
      let child: PathNode | undefined
      let keyEnd = at
      if (isArray) child = node.elementAt(ordinal)
      else {
        if (at >= end || bytes[at] !== quote) return 0
        const closing = stringEnd(bytes, words, at + 1, end, lastWord)
        if (closing === 0) return 0
        const keyClose = closing < 0 ? -closing : closing
        child = node.memberAt(bytes, at + 1, keyClose, closing < 0)
        keyEnd = keyClose + 1
        at = behindColon(bytes, keyEnd, end)
        if (at === 0) return 0
      }
      const from = at
      if (container !== undefined && (child !== undefined || node.keepsSome)) {
        last = this.#add(container, child, ordinal)
      }
      at = child === undefined ? valueEnd(bytes, words, at, end, lastWord) : this.#value(child, at, last, container)
      if (at === 0) return 0
      if (last !== undefined) {
        last.start = start
        last.keyEnd = keyEnd
        last.from = from
        last.to = at
        last.behindPrevious = behind
        last.nextStart = at
      }
      behind = at
      if (at < end && (bytes[at] ?? 0) <= 0x20) at = spaceEnd(bytes, at, end)
      const next = at < end ? bytes[at] : 0
      if (next === close) {
        if (container !== undefined) {
          container.count = ordinal + 1
          container.behindLast = behind
        }
        return at + 1
      }
      if (next !== comma) return 0
      at += 1
      if (at < end && (bytes[at] ?? 0) <= 0x20) at = spaceEnd(bytes, at, end)
    }
  }

  #open(node: PathNode, isArray: boolean, parent: Member | undefined, around: Container | undefined): Container {
    let container = this.#containers[this.#containerCount]
    if (container === undefined) {
      container = new Container(node)
      this.#containers.push(container)
    }
    this.#containerCount += 1
    container.begin(node, isArray, parent, around)
    return container
  }

  #add(container: Container, node: PathNode | undefined, ordinal: number): Member {
    let member = this.#members[this.#memberCount]
    if (member === undefined) {
      member = new Member()
      this.#members.push(member)
    }
    this.#memberCount += 1
    member.begin(node, ordinal)
    container.add(member)
    return member
  }
}
