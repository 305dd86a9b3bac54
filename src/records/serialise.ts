import { inspect } from 'node:util'
import { toError } from '../errors.ts'
import { exactMemory, type Memory, type Room } from '../memory/memory.ts'
import { hasMethod } from '../options.ts'
import type { Receipt } from '../receipts/receipts.ts'

const newline = 10
/** Characters of a piece: enough to make the cost of a write disappear. */
const pieceLength = 8_192
/** UTF-8 takes at most three bytes for each UTF-16 unit of a string. */
const maxBytesPerUnit = 3
/** Room that a block of records mostly takes. */
const usualRoom = 98_304

/** Values as newline-delimited JSON. */
export interface Serialised {
  readonly bytes: Buffer
  /** Where each record ends in `bytes`; its newline stands there. Those of `bad` are not among them. */
  readonly ends: Uint32Array
  /** The values that have no JSON form. */
  readonly bad: readonly { readonly index: number; readonly error: Error }[]
}

/**
 * Writes values as JSON, a newline after each, as strings of some thousand characters. While a piece is ASCII the ends are those of
 * its text; otherwise they are looked for, because JSON text holds no newline of its own.
 *
 * @param receipt - That of the values, if it is one. It may know of memory to write to, which is looked at until it is settled.
 */
export function serialise(values: readonly unknown[], receipt?: Receipt): Serialised {
  const ends = new Uint32Array(values.length)
  const bad: { index: number; error: Error }[] = []
  const memory = receipt?.memory ?? exactMemory
  let room = memory.take(usualRoom)
  let text = ''
  let [size, count, written] = [0, 0, 0]
  /** The first value of the piece. */
  let first = 0
  const add = (index: number, json: string | Error): void => {
    if (typeof json !== 'string') {
      bad.push({ index, error: json })
      return
    }
    text += json
    ends[count] = text.length
    count += 1
    text += '\n'
  }
  const write = (behind: number): void => {
    // One look at many values: nearly none of them can hide something.
    if (text.includes('{}') && values.slice(first, behind).some((value) => formlessIn(value) !== undefined)) {
      text = ''
      count = written
      while (bad.length > 0 && (bad[bad.length - 1]?.index ?? 0) >= first) bad.pop()
      for (let index = first; index < behind; index += 1) add(index, stringify(values[index]))
    }
    room = withRoom(memory, room, size, text)
    const { bytes } = room
    const length = bytes.write(text, size)
    if (length !== text.length) findEnds(bytes, size, ends.subarray(written, count))
    else for (let i = written; i < count; i += 1) ends[i] = (ends[i] ?? 0) + size
    size += length
    written = count
    text = ''
    first = behind
  }
  for (let index = 0; index < values.length; index += 1) {
    add(index, plainJson(values[index]))
    if (text.length >= pieceLength) write(index + 1)
  }
  write(values.length)
  const bytes = room.keep(size, receipt)
  return { bytes, ends: count === ends.length ? ends : ends.slice(0, count), bad }
}

/** The JSON text of a value, or the reason why there is none. */
export function stringify(value: unknown): string | Error {
  const json = plainJson(value)
  const hidden = typeof json === 'string' && json.includes('{}') ? formlessIn(value) : undefined
  return hidden === undefined ? json : new TypeError(`JSON has no form for a ${hidden}, which would become {}`)
}

/** What JSON.stringify says, in which some values are shown as `{}`. */
function plainJson(value: unknown): string | Error {
  try {
    const json: string | undefined = JSON.stringify(value)
    return json ?? new TypeError(`JSON has no form for ${typeof value}`)
  } catch (error) {
    return toError(error)
  }
}

/** How much of a value that has no JSON form is kept for its backup record. */
const shown = { depth: 4, maxArrayLength: 100, maxStringLength: 10_000 }

/** What a value that has no JSON form looks like, so that it can be found again. */
export function inspected(value: unknown): string {
  return inspect(value, shown)
}

/** Objects of which JSON shows nothing. */
const formless = [Map, Set, WeakMap, WeakSet, WeakRef, Promise, RegExp, Error]

/** The name of the first object in a value that JSON would show as `{}` although there is something in it. */
function formlessIn(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || hasMethod(value, 'toJSON')) return undefined
  if (formless.some((type) => value instanceof type)) return value.constructor.name
  for (const member of Object.values(value)) {
    const found = formlessIn(member)
    if (found !== undefined) return found
  }
  return undefined
}

/** A room that also takes `text` behind the first `size` bytes, which are in it. */
function withRoom(memory: Memory, room: Room, size: number, text: string): Room {
  const left = room.bytes.length - size
  if (left >= text.length * maxBytesPerUnit || left >= Buffer.byteLength(text)) return room
  const larger = memory.take(Math.max(size + text.length * maxBytesPerUnit, size * 2))
  room.bytes.copy(larger.bytes, 0, 0, size)
  room.leave()
  return larger
}

/** Looks for the newlines from `from` on, one for each of `ends`. */
function findEnds(bytes: Buffer, from: number, ends: Uint32Array): void {
  let start = from
  for (let i = 0; i < ends.length; i += 1) {
    const end = bytes.indexOf(newline, start)
    ends[i] = end
    start = end + 1
  }
}
