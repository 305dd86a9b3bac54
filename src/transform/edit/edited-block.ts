import { exactMemory, type Memory, type Room } from '../../memory/memory.ts'
import { copyWords } from '../../records/copy-words.ts'
import type { Provenance } from '../../records/provenance.ts'
import { Records } from '../../records/records.ts'
import { viewOf } from '../../records/words.ts'
import type { Splices } from './splices.ts'

const newline = 10
/** What is made of a block is mostly not longer than the block by more than this. */
const usualGrowth = 16_384
/** What is shorter is copied by words, or byte by byte: a call costs more. */
const longBytes = 200
const shortBytes = 48

/**
 * What the records of a block become, one behind another in one piece of memory. What stays between two cuts is copied in one go, over
 * the ends of records, too.
 */
export class EditedBlock {
  readonly #block: Records
  readonly #memory: Memory
  readonly #ends: number[] = []
  /** The block's record that each was made of. */
  readonly origins: number[] = []
  #room: Room
  #words: DataView
  #at = 0
  /** The bytes of the block that are to be copied next. */
  #from = 0
  #to = 0
  #isLines: boolean

  constructor(block: Records) {
    this.#block = block
    this.#memory = block.receipt.only?.memory ?? exactMemory
    this.#room = this.#memory.take(block.byteLength + block.length + usualGrowth)
    this.#words = wordsOf(this.#room.bytes)
    this.#isLines = block.isLines
  }

  /** How many bytes there are. */
  get size(): number {
    return this.#at + this.#to - this.#from
  }

  /** Adds the record at `index`, with what is cut out of it and what comes in its place. */
  add(index: number, splices: Splices): void {
    const { isFramed } = this.#block
    const end = this.#block.ends[index] ?? 0
    let cursor = this.#block.start(index)
    for (let i = 0; i < splices.length; i += 1) {
      const splice = splices.at(i)
      // What is in something that was cut out went with it.
      if (splice === undefined || splice.from < cursor) continue
      this.#copy(cursor, splice.from)
      cursor = splice.to
      if (splice.insert !== undefined) this.#insert(splice.insert, splice.insertFrom, splice.insertTo)
    }
    if (isFramed) {
      this.#copy(cursor, end + 1)
      this.#ends.push(this.size - 1)
    } else {
      this.#copy(cursor, end)
      this.#ends.push(this.size)
      this.#insertByte(newline)
    }
    this.origins.push(index)
    if (cursor > end) throw new RangeError(`a record that ends at byte ${end} was cut up to byte ${cursor}`)
  }

  /** Adds what the record at `index` becomes instead, as it stands. */
  addWhole(index: number, record: Uint8Array): void {
    this.#isLines &&= !record.includes(newline)
    this.#insert(Buffer.from(record.buffer, record.byteOffset, record.length), 0, record.length)
    this.#ends.push(this.size)
    this.#insertByte(newline)
    this.origins.push(index)
  }

  /** The records that were made. */
  finish(from: Provenance): Records {
    this.#flush()
    if (this.#ends.length === 0) {
      this.#room.leave()
      return Records.values(from, [])
    }
    const bytes = this.#room.keep(this.#at, from.receipt.only)
    const ends = Uint32Array.from(this.#ends)
    return this.#isLines ? Records.lines(from, bytes, 0, ends) : Records.framed(from, bytes, 0, ends)
  }

  /** Bytes of the block are next; they are copied with those that follow them. */
  #copy(from: number, to: number): void {
    if (from === this.#to) {
      this.#to = to
      return
    }
    this.#flush()
    this.#from = from
    this.#to = to
  }

  #flush(): void {
    const length = this.#to - this.#from
    if (length > 0) {
      this.#reserve(length)
      const { bytes } = this.#block
      if (length < longBytes) copyWords(viewOf(bytes), this.#from, this.#words, this.#at, length)
      else bytes.copy(this.#room.bytes, this.#at, this.#from, this.#to)
      this.#at += length
    }
    this.#from = this.#to
  }

  #insert(bytes: Buffer, from: number, to: number): void {
    this.#flush()
    const length = to - from
    this.#reserve(length)
    const target = this.#room.bytes
    const at = this.#at
    if (length > shortBytes) bytes.copy(target, at, from, to)
    else for (let i = 0; i < length; i += 1) target[at + i] = bytes[from + i] ?? 0
    this.#at += length
  }

  #insertByte(byte: number): void {
    this.#flush()
    this.#reserve(1)
    this.#room.bytes[this.#at] = byte
    this.#at += 1
  }

  /** Makes room for so many bytes more. */
  #reserve(length: number): void {
    if (this.#room.bytes.length - this.#at >= length) return
    const larger = this.#memory.take((this.#at + length) * 2)
    this.#room.bytes.copy(larger.bytes, 0, 0, this.#at)
    this.#room.leave()
    this.#room = larger
    this.#words = wordsOf(larger.bytes)
  }
}

function wordsOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
