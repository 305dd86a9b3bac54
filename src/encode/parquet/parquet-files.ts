/** Makes files of batches: the first ones on this thread, and when it is seen that there is much to do, in others. */
import { isDeepStrictEqual } from 'node:util'
import { Limiter } from '../../compress/thread-pool.ts'
import type { Records } from '../../records/records.ts'
import type { PartlyEncoded, UnfitRecord } from '../encoder.ts'
import { codecs } from './codecs.ts'
import { FileBody } from './file-body.ts'
import { cutGroups, type GroupCut } from './group-cuts.ts'
import { jobOf } from './group-messages.ts'
import type { GroupShape } from './group-shape.ts'
import { groupThreads } from './group-threads.ts'
import { GroupWriter, type MadeGroup } from './group-writer.ts'
import { beginningOf, inferred, withoutColumns } from './infer-batch.ts'
import type { Leaf } from './leaf.ts'

/** A value in a column takes at least so much. */
const valueBytes = 8
/** Threads take a while to start, and longer to become fast: a job with less ends before them. */
const threadsFrom = 32 * 1024 * 1024
/** Where columns are to be found, those of so much stand for the rest of the batch until something else is seen in it. */
const beginningBytes = 1024 * 1024

/** What is made on this thread is made one after the other: two at a time would take no less time, and twice the memory. */
const oneAtATime = new Limiter(1)
let shapes = 0

/** How files are made. */
interface FilesShape {
  readonly rowGroupBytes: number
  readonly threads: number
  /** See {@link beginningBytes}. */
  readonly beginningBytes?: number
}

/** See the head of this file. */
export class ParquetFiles {
  readonly #given: GroupShape
  readonly #rowGroupBytes: number
  readonly #codec: ReturnType<(typeof codecs)['none']>
  readonly #inThreads: Limiter
  readonly #beginningBytes: number
  /** Lets one batch at a time look for columns. */
  readonly #finding = new Limiter(1)
  #shapeId = nextShape()
  /** With the columns that were given, or found. */
  #shape: GroupShape | undefined
  /** What this thread writes with, unless it is at work; and what all groups have in common. */
  #writer: GroupWriter | undefined
  #leaves: readonly Leaf[] | undefined
  /** How much has come. */
  #bytes = 0
  #hasThreads: boolean

  constructor(given: GroupShape, { rowGroupBytes, threads, ...others }: FilesShape) {
    this.#given = given
    this.#rowGroupBytes = rowGroupBytes
    this.#codec = codecs[given.compression]()
    this.#hasThreads = threads > 0
    this.#inThreads = new Limiter(Math.max(threads, 1))
    this.#beginningBytes = others.beginningBytes ?? beginningBytes
    if (given.columns.length > 0) this.#shape = given
  }

  async encode(runs: readonly Records[]): Promise<PartlyEncoded> {
    // What is missing is told before anything is made.
    await this.#codec.load()
    if (this.#shape === undefined) {
      const first = await this.#finding.run(async () => (this.#shape === undefined ? this.#first(runs) : undefined))
      if (first !== undefined) return first
    }
    const shape = this.#shape
    if (shape === undefined) return { parts: [], refused: withoutColumns(runs) }
    return this.#file(await this.#groups(runs, shape), shape)
  }

  /**
   * Writes a batch whose columns are to be found: with those of its beginning, and once more where others are found in the whole of it. To look at
   * all records first takes a seventh of the time that the writing does.
   *
   * @returns `undefined` where that is still to be done, or there are no columns.
   */
  async #first(runs: readonly Records[]): Promise<PartlyEncoded | undefined> {
    this.#forgetColumns()
    const begun = await oneAtATime.run(() => inferred(beginningOf(runs, this.#beginningBytes), this.#given))
    const groups = begun && (await this.#groups(runs, begun))
    const isAll = groups?.every(({ group }) => group.isPlain) ?? false
    const found = isAll ? begun : await oneAtATime.run(() => inferred(runs, this.#given))
    const isBegun = begun !== undefined && isDeepStrictEqual(found, begun)
    this.#shape = found
    if (isBegun) return this.#file(groups ?? [], begun)
    this.#forgetColumns()
    return undefined
  }

  #forgetColumns(): void {
    this.#shapeId = nextShape()
    this.#writer = undefined
    this.#leaves = undefined
  }

  /** What is made of a batch, in order. */
  async #groups(runs: readonly Records[], shape: GroupShape): Promise<readonly PlacedMade[]> {
    this.#leaves ??= this.#idleWriter(shape).leaves
    const cuts = cutGroups(runs, this.#rowGroupBytes, shape.columns.length * valueBytes)
    // An error is told when nothing looks at the records any more: their memory may be read into then.
    const ended = await Promise.allSettled(cuts.map((cut) => this.#group(cut, shape)))
    return ended.map((one, i) => {
      if (one.status === 'rejected') throw one.reason
      return { group: one.value, first: cuts[i]?.first ?? 0 }
    })
  }

  #file(groups: readonly PlacedMade[], { columns }: GroupShape): PartlyEncoded {
    const body = new FileBody({ columns, leaves: this.#leaves ?? [], codec: this.#codec.name })
    const refused: UnfitRecord[] = []
    for (const { group, first } of groups) {
      for (const { index, error } of group.refused) refused.push({ index: first + index, error })
      if (group.rows > 0) body.add(group)
    }
    return { parts: body.finish(), refused }
  }

  #group(cut: GroupCut, shape: GroupShape): Promise<MadeGroup> {
    const isLong = this.#bytes >= threadsFrom
    this.#bytes += cut.bytes
    return this.#hasThreads && isLong ? this.#inThreads.run(() => this.#inThread(cut, shape)) : this.#here(cut, shape)
  }

  #here(cut: GroupCut, shape: GroupShape): Promise<MadeGroup> {
    return oneAtATime.run(async () => {
      const writer = this.#idleWriter(shape)
      // What an error leaves in it belongs to no file.
      this.#writer = undefined
      const group = await writer.write(cut.pieces)
      this.#writer = writer
      return group
    })
  }

  #idleWriter(shape: GroupShape): GroupWriter {
    this.#writer ??= new GroupWriter(shape)
    return this.#writer
  }

  async #inThread(cut: GroupCut, shape: GroupShape): Promise<MadeGroup> {
    try {
      const { group } = await groupThreads.run(() => jobOf(cut, shape, this.#shapeId))
      return await group
    } catch {
      // A thread that cannot be started, or has ended: in a bundle its file cannot be found. What it can do is done here as well.
      this.#hasThreads = false
      return this.#here(cut, shape)
    }
  }
}

/** A group, and the place of its first record among all of the batch. */
interface PlacedMade {
  readonly group: MadeGroup
  readonly first: number
}

function nextShape(): number {
  shapes += 1
  return shapes
}
