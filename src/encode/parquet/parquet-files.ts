/** Makes files of batches: the first ones on this thread, and when it is seen that there is much to do, in others. */
import { isUtf8 } from 'node:buffer'
import { setImmediate } from 'node:timers/promises'
import { Limiter } from '../../compress/thread-pool.ts'
import { HosepipeError } from '../../errors.ts'
import type { Records } from '../../records/records.ts'
import { readTimestamp } from '../../time/read-time.ts'
import type { PartlyEncoded, UnfitRecord } from '../encoder.ts'
import { codecs } from './codecs.ts'
import { compileRows } from './convert.ts'
import { FileBody } from './file-body.ts'
import { cutGroups, type GroupCut } from './group-cuts.ts'
import { jobOf } from './group-messages.ts'
import type { GroupShape } from './group-shape.ts'
import { groupThreads } from './group-threads.ts'
import { GroupWriter, type MadeGroup } from './group-writer.ts'
import { Inference } from './infer.ts'
import type { Leaf } from './leaf.ts'

/** So much is read before others have their turn. */
const turnBytes = 262_144
/** A value in a column takes at least so much. */
const valueBytes = 8
/** Threads take a while to start, and longer to become fast: a job with less ends before them. */
const threadsFrom = 32 * 1024 * 1024

/** What is made on this thread is made one after the other: two at a time would take no less time, and twice the memory. */
const oneAtATime = new Limiter(1)
let shapes = 0

/** How files are made. */
interface FilesShape {
  readonly rowGroupBytes: number
  readonly threads: number
}

/** See the head of this file. */
export class ParquetFiles {
  readonly #given: GroupShape
  readonly #rowGroupBytes: number
  readonly #codec: ReturnType<(typeof codecs)['none']>
  readonly #inThreads: Limiter
  readonly #shapeId: number
  /** With the columns that were given, or found. */
  #shape: GroupShape | undefined
  /** What this thread writes with, unless it is at work; and what all groups have in common. */
  #writer: GroupWriter | undefined
  #leaves: readonly Leaf[] | undefined
  /** How much has come. */
  #bytes = 0
  #hasThreads: boolean

  constructor(given: GroupShape, { rowGroupBytes, threads }: FilesShape) {
    this.#given = given
    this.#rowGroupBytes = rowGroupBytes
    this.#codec = codecs[given.compression]()
    this.#hasThreads = threads > 0
    this.#inThreads = new Limiter(Math.max(threads, 1))
    this.#shapeId = shapes
    shapes += 1
    if (given.columns.length > 0) this.#shape = given
  }

  async encode(runs: readonly Records[]): Promise<PartlyEncoded> {
    // What is missing is told before anything is made.
    await this.#codec.load()
    await oneAtATime.run(async () => {
      this.#shape ??= await inferred(runs, this.#given)
    })
    const shape = this.#shape
    if (shape === undefined) return { parts: [], refused: withoutColumns(runs) }
    this.#leaves ??= this.#idleWriter(shape).leaves
    const leaves = this.#leaves
    const { columns } = shape
    const cuts = cutGroups(runs, this.#rowGroupBytes, columns.length * valueBytes)
    // An error is told when nothing looks at the records any more: their memory may be read into then.
    const ended = await Promise.allSettled(cuts.map((cut) => this.#group(cut, shape)))
    const groups = ended.map((one) => {
      if (one.status === 'rejected') throw one.reason
      return one.value
    })
    const body = new FileBody({ columns, leaves, codec: this.#codec.name })
    const refused: UnfitRecord[] = []
    for (const [i, group] of groups.entries()) {
      const first = cuts[i]?.first ?? 0
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

/** `undefined` where no record has a member. */
async function inferred(runs: readonly Records[], given: GroupShape): Promise<GroupShape | undefined> {
  const inference = new Inference(given)
  let turn = 0
  for (const run of runs) {
    const { bytes, ends, length } = run
    const isText = isAllText(run)
    for (let i = 0; i < length; i += 1) {
      const [start, end] = [run.start(i), ends[i] ?? 0]
      inference.see(bytes, start, end, isText)
      turn += end - start
      if (turn < turnBytes) continue
      turn = 0
      await setImmediate()
    }
  }
  const columns = inference.columns()
  return columns.length === 0 ? undefined : { ...given, columns }
}

/** Reasons for records none of which has a column: what is wrong with each, and a word for empty objects. */
function withoutColumns(runs: readonly Records[]): UnfitRecord[] {
  const toRows = compileRows({
    columns: [],
    rules: { caseInsensitive: true, dotsToUnderscores: false },
    jsonKeys: new Map(),
    readTime: readTimestamp,
  })
  return Array.from(recordsOf(runs), (bytes, index) => {
    try {
      toRows(bytes)
    } catch (error) {
      if (error instanceof HosepipeError) return { index, error }
      throw error
    }
    const message = 'no record of the batch has a member that a column could be inferred from'
    return { index, error: new HosepipeError('DataFormatConversion.MalformedData', message) }
  })
}

function* recordsOf(runs: readonly Records[]): Generator<Buffer> {
  for (const run of runs) yield* run
}

/** Whether all of a run is known to be UTF-8: one look is faster than one for each record. */
function isAllText(run: Records): boolean {
  const bytes = run.framedBytes()
  return bytes !== undefined && isUtf8(bytes)
}
