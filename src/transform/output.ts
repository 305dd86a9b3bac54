import { codeOf, describe, type ErrorCode, HosepipeError } from '../errors.ts'
import { type Origin, Receipt } from '../receipts/receipts.ts'
import { bytesOf } from '../records/bytes.ts'
import { type FailedRecords, type Failure, failedAsTheyCame } from '../records/failed-records.ts'
import { type Metadata, movedMetadata } from '../records/metadata.ts'
import { placeText } from '../records/places.ts'
import { Records } from '../records/records.ts'
import { stringify } from '../records/serialise.ts'
import { indexesOf } from '../records/stretches.ts'
import { EditedBlock } from './edit/edited-block.ts'
import { drop, type Fail, isFail, isSeveral, type Several } from './result.ts'
import { Sizes } from './sizes.ts'
import type { Meaning } from './view.ts'

/** What a function threw, or its promise was rejected with. */
export class Thrown {
  readonly error: Error
  readonly code: ErrorCode

  constructor(error: Error, code: ErrorCode = 'Transform.Threw') {
    this.error = error
    this.code = code
  }
}

/** What stands for a record that failed where the user's `onError` says that the stream is to end with it. */
export class Stop {
  readonly error: Error
  readonly code: ErrorCode

  constructor(error: Error, code: ErrorCode) {
    this.error = error
    this.code = code
  }
}

/** A block of records may become much more than it was: what is made of it is handed on by pieces of about so many bytes. */
export const fullBytes = 262_144

/** What stands for a record that is dropped because the user's `onError` says so; any kind of function may have it. */
export const dropped = Symbol('dropped')

/** Gathers what became of the records of one block, in their order. */
export class Output {
  readonly block: Records
  readonly #meaning: Meaning
  /** The block's records that each new record was made from. */
  readonly #origins: number[] = []
  /** Of a filter: those that stay, as stretches of neighbours; see {@link Records.pickStretches}. */
  readonly #stretches: number[] = []
  /** How many stay, and behind which of them the last stretch ends. */
  #staying = 0
  #stretchEnd = -1
  readonly #values: unknown[] = []
  /** What a function has added to the metadata of some values. */
  readonly #added: (Metadata | undefined)[] = []
  #raw = 0
  readonly #failed: number[] = []
  readonly #reasons: Failure[] = []
  /** How many are dropped; and which, where they may go back to several receipts. */
  #droppedCount = 0
  readonly #dropped: number[] | undefined
  readonly #now: () => number
  readonly #sizes: Sizes
  readonly #unwraps: boolean
  #stoppedBy: HosepipeError | undefined
  /** Of what is edited in its bytes: the new records, which are none of the values. */
  #edited: EditedBlock | undefined
  /** Of a filter: the values of all records of the block, where those that stay take them along. */
  #parsed: readonly unknown[] | undefined
  #valueBytes = 0

  /**
   * @param sizes - Tells how large values are; one for all outputs of a stream.
   * @param unwraps - Whether what is made counts as what came in.
   */
  constructor(block: Records, meaning: Meaning, now: () => number, sizes = new Sizes(), unwraps = false) {
    this.#unwraps = unwraps
    this.#sizes = sizes
    this.block = block
    this.#meaning = meaning
    this.#now = now
    this.#dropped = block.receipt instanceof Receipt ? undefined : []
  }

  /** Has the records that stay take along what was parsed of them. @param values - Those of the whole block */
  handOn(values: readonly unknown[]): void {
    this.#parsed = values
  }

  /** Adds what the function said of the record at `index`; or what it threw, as {@link Thrown}. */
  add(index: number, result: unknown): void {
    if (this.#stoppedBy !== undefined) return
    if (result instanceof Stop) this.#stoppedBy = this.#stopError(index, result)
    else if (result instanceof Thrown) this.#fail(index, result.error, result.code)
    else if (isFail(result)) this.#failWith(index, result)
    else if (result === undefined) this.#fail(index, noResult(this.#meaning))
    else if (result === dropped) this.drop(index)
    else if (this.#meaning === 'keep') this.#keep(index, Boolean(result))
    else if (this.#meaning === 'result' && result === drop) this.drop(index)
    else if (this.#meaning === 'result' && isSeveral(result)) this.#several(index, result)
    else this.#value(index, result)
  }

  /** Of a filter: the records from `from` up to `to` stay. */
  stay(from: number, to: number): void {
    this.#staying += to - from
    if (from === this.#stretchEnd) this.#stretches[this.#stretches.length - 1] = to
    else this.#stretches.push(from, to)
    this.#stretchEnd = to
  }

  /** The record at `index` goes nowhere. */
  drop(index: number): void {
    this.#droppedCount += 1
    this.#dropped?.push(index)
  }

  /** What the block's records become that are edited in their bytes. */
  get edited(): EditedBlock {
    this.#edited ??= new EditedBlock(this.block)
    return this.#edited
  }

  /** About how many bytes the new records take. */
  get size(): number {
    return this.#valueBytes + (this.#edited?.size ?? 0)
  }

  /** The error that the stream is to end with, once what stands in front of it is handed on. What came behind is left out. */
  get stoppedBy(): HosepipeError | undefined {
    return this.#stoppedBy
  }

  /** Whether so much was made that it should be handed on before there is more. */
  get isFull(): boolean {
    return this.size >= fullBytes
  }

  /** Whether no record has become anything but failed. */
  get onlyFailed(): boolean {
    const made = this.#values.length + (this.#edited?.origins.length ?? 0)
    return made === 0 && this.#staying === 0 && this.#droppedCount === 0
  }

  /** What the function threw for records that failed so far. */
  get thrown(): readonly unknown[] {
    return this.#reasons.map(({ error }) => error)
  }

  /** Ends the dropped records, and hands on the others and those that failed. */
  finish(push: (chunk: Records | FailedRecords) => void): void {
    if (this.#dropped === undefined) this.block.receipt.settle('dropped', this.#droppedCount)
    else settleDropped(this.block.receipt, this.#dropped)
    const records = this.#meaning === 'keep' ? this.#kept() : this.#made()
    if (records.length > 0) push(records)
    if (this.#failed.length > 0) push(failedAsTheyCame(this.block, this.#failed, this.#reasons))
  }

  #keep(index: number, stays: boolean): void {
    if (stays) this.stay(index, index + 1)
    else this.drop(index)
  }

  #value(index: number, value: unknown): void {
    if (hasNoJson(value)) {
      this.#fail(index, new HosepipeError('Transform.NotSerialisable', `the function returned ${describe(value)}`))
      return
    }
    const given = mayBeBytes(value) ? (bytesOf(value) ?? value) : value
    if (this.#edited !== undefined) {
      this.#insteadOfEdited(index, given, this.#edited)
      return
    }
    if (typeof given === 'string' || given instanceof Uint8Array) {
      this.#raw += 1
      this.#valueBytes += given.length
    } else this.#valueBytes += this.#sizes.of(given)
    this.#values.push(given)
    this.#origins.push(index)
  }

  /** Among records that are edited, what the user's `onError` has made of one that could not be. */
  #insteadOfEdited(index: number, value: unknown, edited: EditedBlock): void {
    const text = textOf(value)
    if (text instanceof Error) this.#fail(index, text, 'Transform.NotSerialisable')
    else edited.addWhole(index, typeof text === 'string' ? Buffer.from(text) : text)
  }

  #several(index: number, { values, metadata }: Several): void {
    const wrong = values.findIndex(isNoValue)
    if (wrong !== -1) {
      const error = `several() takes values alone, but ${describe(values[wrong])} is at ${wrong}`
      this.#fail(index, new HosepipeError('Transform.WrongAnswer', error))
      return
    }
    const unfit = values.find(hasNoJson)
    // Among records that are edited each value is written at once: all of them have to have a form, or the record fails as a whole.
    const formless = this.#edited && values.map(textOf).find((text) => text instanceof Error)
    if (formless instanceof Error) this.#fail(index, formless, 'Transform.NotSerialisable')
    else if (unfit !== undefined) {
      this.#fail(index, new HosepipeError('Transform.NotSerialisable', `the function returned ${describe(unfit)}`))
    } else if (values.length === 0) this.drop(index)
    else {
      this.block.receipt.at(index).expand(values.length - 1)
      for (const [i, value] of values.entries()) {
        if (metadata !== undefined) this.#added[this.#edited?.origins.length ?? this.#values.length] = metadata[i]
        this.#value(index, value)
      }
    }
  }

  #failWith(index: number, given: Fail): void {
    this.#fail(index, errorOf(given), 'Transform.Failed')
  }

  #fail(index: number, error: Error, code: ErrorCode = 'Transform.Threw'): void {
    this.#failed.push(index)
    this.#reasons.push({
      code: codeOf(error, code),
      message: error.message,
      attempts: 1,
      endedAt: this.#now(),
      outputType: 'processing-failed',
      error,
    })
  }

  #stopError(index: number, { error, code }: Stop): HosepipeError {
    const place = this.block.place(index)
    const where = place === undefined ? '' : ` (${placeText(place)})`
    const words = `a record${where} failed, and onError is 'stop': ${codeOf(error, code)}: ${error.message}`
    return new HosepipeError(code, words, { cause: error })
  }

  /** Of a filter: the same bytes; all of them, or those at some places. */
  #kept(): Records {
    const { block } = this
    if (this.#staying === block.length) return this.#withParsed(block, this.#parsed).passed()
    const stretches = new Uint32Array(this.#stretches)
    const all = this.#parsed
    const parsed = all && Array.from(indexesOf(stretches), (i) => all[i])
    return this.#withParsed(block.pickStretches(stretches), parsed).passed()
  }

  #withParsed(kept: Records, parsed: readonly unknown[] | undefined): Records {
    return parsed === undefined ? kept : kept.withValues(parsed)
  }

  #made(): Records {
    const { arrivedAt } = this.block
    if (this.#edited !== undefined) {
      const { origins } = this.#edited
      return this.#madeFrom(this.#edited.finish({ receipt: this.#originOf(origins), arrivedAt }), origins)
    }
    if (this.#raw === 0) {
      return this.#madeFrom(
        Records.values({ receipt: this.#originOf(this.#origins), arrivedAt }, this.#values),
        this.#origins,
      )
    }
    const all = this.#values.map(textOf)
    const failed = new Set(all.flatMap((raw, i) => (raw instanceof Error ? this.#unmake(i, raw) : [])))
    const texts: (string | Uint8Array)[] = []
    const origins: number[] = []
    const places: number[] = []
    for (const [i, raw] of all.entries()) {
      const origin = this.#origins[i] ?? 0
      if (raw instanceof Error || failed.has(origin)) continue
      texts.push(raw)
      origins.push(origin)
      places.push(i)
    }
    return this.#madeFrom(
      Records.pack({ receipt: this.block.receipt.pick(origins), arrivedAt }, texts),
      origins,
      places,
    )
  }

  /** @param places - Where each of the records stands among the values. Default: at its own place. */
  #madeFrom(records: Records, origins: readonly number[], places?: readonly number[]): Records {
    const made = this.#unwraps ? records : records.madeFrom(this.block, origins)
    const { metadata } = this.block
    const added = this.#added
    if (added.length === 0) {
      if (metadata === undefined || !this.#unwraps) return made
      return made.withMetadata(movedMetadata(metadata, (index) => origins[index] ?? 0))
    }
    return made.withMetadata({
      at: (index) => {
        const more = added[places?.[index] ?? index]
        const known = metadata?.at(origins[index] ?? 0)
        return more === undefined ? known : { ...known, ...more }
      },
    })
  }

  /**
   * One of the values has no JSON form: the record that it was made from fails, and all that was made of it goes nowhere.
   *
   * @returns The record's index, if it has not failed before.
   */
  #unmake(at: number, error: Error): number | [] {
    const origin = this.#origins[at] ?? 0
    if (this.#failed.includes(origin)) return []
    const siblings = this.#origins.filter((one) => one === origin)
    if (siblings.length > 1) this.block.receipt.at(origin).expand(1 - siblings.length)
    this.#fail(origin, error, 'Transform.NotSerialisable')
    return origin
  }

  #originOf(origins: readonly number[]): Records['receipt'] {
    const { receipt } = this.block
    return receipt instanceof Receipt ? receipt : receipt.pick(origins)
  }
}

/** The error that stands for what a function said with `fail(reason)`. */
export function errorOf({ reason }: Fail): Error {
  return typeof reason === 'string' ? new HosepipeError('Transform.Failed', reason) : reason
}

/** Ends the records at `indexes` as dropped. */
export function settleDropped(receipt: Origin, indexes: ArrayLike<number>): void {
  if (receipt instanceof Receipt) receipt.settle('dropped', indexes.length)
  else for (let i = 0; i < indexes.length; i += 1) receipt.at(indexes[i] ?? 0).settle('dropped', 1)
}

/** A value as a record: text and bytes as they stand, all else as JSON; or why it has none. */
function textOf(value: unknown): string | Uint8Array | Error {
  return typeof value === 'string' || value instanceof Uint8Array ? value : stringify(value)
}

/** Most values are told by their prototype. */
function mayBeBytes(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) !== Object.prototype
}

function hasNoJson(value: unknown): boolean {
  return typeof value === 'symbol' || typeof value === 'function' || typeof value === 'bigint'
}

/** What may be returned, but not as one of several. */
function isNoValue(value: unknown): boolean {
  return value === undefined || value === drop || isFail(value) || isSeveral(value) || value instanceof Promise
}

function noResult(meaning: Meaning): HosepipeError {
  const hint = meaning === 'keep' ? 'return true or false' : 'return drop where the record is to go nowhere'
  return new HosepipeError('Transform.NoResult', `the function returned undefined; ${hint}`)
}
