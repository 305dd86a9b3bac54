import type { PathNode } from './path-tree.ts'

/** A member of an object, or an element of an array, as it stands in the bytes. Used again for other records. */
export class Member {
  /** `undefined` where no path leads. */
  node: PathNode | undefined
  /** Which of the members it is. */
  ordinal = 0
  /** Where its key starts, quote included; where that ends; where its value stands. */
  start = 0
  keyEnd = 0
  from = 0
  to = 0
  /** Where the value of the member before it ends; and where the member after it starts, if there is one. */
  behindPrevious = 0
  nextStart = 0
  /** The next one of the same container that was noted. */
  next: Member | undefined

  /** Makes another one of it. */
  begin(node: PathNode | undefined, ordinal: number): void {
    this.node = node
    this.ordinal = ordinal
    this.next = undefined
  }
}

/** An object or an array in the bytes, and those of its members that something may happen to. Used again for other records. */
export class Container {
  node: PathNode
  isArray = false
  /** How many members it has. */
  count = 0
  /** Where the value of its last member ends; behind the brace where it has none. */
  behindLast = 0
  /** The member that it is the value of; `undefined` where it is the record. */
  parent: Member | undefined
  /** Whether it, and all that it is in, is the last of its name: of a name that comes twice, only that is seen by who parses it. */
  counts = true
  /** The container that the parent is in. */
  around: Container | undefined
  first: Member | undefined
  #last: Member | undefined

  constructor(node: PathNode) {
    this.node = node
  }

  /** Makes another one of it. */
  begin(node: PathNode, isArray: boolean, parent: Member | undefined, around: Container | undefined): void {
    this.node = node
    this.around = around
    this.isArray = isArray
    this.count = 0
    this.parent = parent
    this.first = undefined
    this.#last = undefined
  }

  /** Adds a member behind the others. */
  add(member: Member): void {
    if (this.#last === undefined) this.first = member
    else this.#last.next = member
    this.#last = member
  }
}
