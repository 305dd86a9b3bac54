import type { Clock } from '../../clock.ts'
import { Account } from '../../receipts/receipts.ts'
import { FailedRecords } from '../../records/failed-records.ts'
import { Records } from '../../records/records.ts'
import { withBytes } from '../../records/with-bytes.ts'
import { toSent } from '../../sent-error.ts'
import type { Meaning } from '../view.ts'
import type { Answer, FailedRecord, Task } from './answer.ts'
import { AnswerMemory } from './answer-memory.ts'
import { MadeBuilder } from './made-builder.ts'
import { Places } from './places.ts'
import { fromSlab, type Slab } from './slab.ts'

/** What the answer depends on beside the records. */
export interface Answering {
  readonly meaning: Meaning
  /** Whether what the function makes counts as what came in. */
  readonly unwraps: boolean
  readonly clock: Clock
  /** Whether the slab's buffer may go back: no function can have kept a view of it. */
  readonly giveBack: boolean
}

/** What is found when the function has answered already: `onError` is not asked about it. */
const foundLater: readonly string[] = ['Transform.NoResult', 'Transform.WrongAnswer', 'Transform.NotSerialisable']

/** Gathers, in a thread, what a transform makes of the records of one slab. */
export class Answerer {
  /** The records, with an origin that knows their places in the slab. */
  readonly records: Records
  readonly #slab: Slab
  readonly #answering: Answering
  readonly #made: MadeBuilder[] = []
  readonly #kept: number[] = []
  readonly #failed: FailedRecord[] = []
  /** How many records each record became, good or failed. */
  readonly #became: Uint32Array
  /** Where records are made, if that is not memory of their own. */
  readonly #memory: AnswerMemory | undefined

  constructor({ slab, reuse, room }: Task, answering: Answering) {
    this.#slab = slab
    this.#answering = answering
    this.#became = new Uint32Array(slab.length)
    this.#memory = reuse ? new AnswerMemory(room) : undefined
    const receipt = new Account().open(slab.length, slab.arrivedAt, { memory: this.#memory })
    const all = new Uint32Array(slab.length)
    for (let i = 0; i < all.length; i += 1) all[i] = i
    this.records = fromSlab(slab, new Places(receipt, all))
  }

  /** Adds what the transform hands on. */
  add(chunk: unknown): void {
    if (chunk instanceof FailedRecords) this.#addFailed(chunk)
    else if (!(chunk instanceof Records)) throw new TypeError('a transform makes Records and FailedRecords alone')
    else if (this.#answering.meaning !== 'keep') this.#addMade(chunk)
    else for (const index of this.#count(chunk)) this.#kept.push(index)
  }

  /** The answer, and the buffers that go with it. */
  finish(): { readonly answer: Answer; readonly buffers: readonly ArrayBuffer[] } {
    const { meaning, unwraps, giveBack } = this.#answering
    const dropped: number[] = []
    const expanded: number[] = []
    for (let index = 0; index < this.#became.length; index += 1) {
      const count = this.#became[index] ?? 0
      if (count === 0) dropped.push(index)
      else if (count > 1) expanded.push(index, count - 1)
    }
    const rooms = this.#memory?.rooms ?? []
    const made = this.#made.map((each) => each.made())
    const answer: Answer = {
      meaning,
      unwraps,
      made,
      kept: Uint32Array.from(this.#kept),
      dropped: Uint32Array.from(dropped),
      failed: this.#failed,
      expanded: Uint32Array.from(expanded),
      spare: giveBack ? this.#slab.buffer : undefined,
      rooms,
    }
    const buffers = new Set(made.flatMap(({ bytes, ends, origins }) => [bytes.buffer, ends.buffer, origins.buffer]))
    for (const room of rooms) buffers.add(room)
    if (giveBack) buffers.add(this.#slab.buffer)
    return { answer, buffers: [...buffers] }
  }

  #addMade(records: Records): void {
    const { good, failed } = withBytes(records, this.#answering.clock)
    if (failed !== undefined) this.#addFailed(failed)
    if (good.length === 0) return
    const bytes = good.framedBytes()
    if (bytes === undefined) throw new TypeError('what a transform makes is framed')
    const origins = this.#count(good)
    const last = this.#made.at(-1)
    if (last?.isBefore(bytes)) {
      last.add(good, bytes.length, origins)
      return
    }
    const made = new MadeBuilder(this.#own(bytes))
    made.add(good, bytes.length, origins)
    this.#made.push(made)
  }

  /** The bytes in a buffer that can change hands. */
  #own({ buffer, byteOffset, length }: Uint8Array): Uint8Array<ArrayBuffer> {
    const isOwn = buffer instanceof ArrayBuffer && (buffer.byteLength === length || this.#memory?.owns(buffer))
    return isOwn
      ? new Uint8Array(buffer, byteOffset, length)
      : new Uint8Array(new Uint8Array(buffer, byteOffset, length))
  }

  #addFailed(failed: FailedRecords): void {
    for (const [i, index] of this.#count(failed.records).entries()) {
      const { code, message, error } = failed.reason(i)
      const rescuable = !foundLater.includes(code)
      this.#failed.push({ index, code, error: { ...toSent(error ?? new Error(message)), message }, rescuable })
    }
  }

  /** The places that some records come from; each of them became one more. */
  #count({ receipt }: Records): Uint32Array {
    if (!(receipt instanceof Places)) throw new TypeError('a transform hands on the origin of its records')
    for (const index of receipt.indexes) this.#became[index] = (this.#became[index] ?? 0) + 1
    return receipt.indexes
  }
}
