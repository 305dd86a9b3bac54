/**
 * What stands between the bytes of an input and a splitter of text.
 *
 *     bytes ─┬─ UTF-8: without its byte order mark ─────┬─▶ splitter
 *            └─ another encoding: decoded, as UTF-8 ────┘
 */
import { TextDecoder } from 'node:util'
import { HosepipeError } from '../errors.ts'
import { described, expecting } from '../options.ts'
import { shifted } from '../records/places.ts'
import type { Work } from '../stage/door.ts'
import type { Splitter, SplitterState } from './splitter.ts'

/** An option of every splitter that reads text. */
export interface EncodingOptions {
  /**
   * How the input is encoded: a name that `TextDecoder` knows, such as `'utf-16le'` or `'windows-1252'` (WHATWG Encoding). Records are UTF-8 then,
   * and positions count their bytes. Default: UTF-8, whose bytes are not looked at; a byte order mark is no part of the first record, and
   * that of UTF-16 ends the stream with
   * the code `Split.Encoding`, unless this is `'utf-8'`.
   */
  readonly encoding?: string | undefined
}

/** The field of an option `encoding`. */
export const encodingField = described(
  expecting("an encoding that TextDecoder knows, such as 'utf-16le' or 'windows-1252'", isEncoding, { type: 'string' }),
  'How the input is encoded. Default utf-8.',
)

/** A splitter of UTF-8 as one that reads text in an encoding. */
export function readingText(splitter: Splitter, encoding: string | undefined): Splitter {
  const isUtf8 = encoding === undefined || new TextDecoder(encoding).encoding === 'utf-8'
  return {
    ...splitter,
    // Where a record stands is where it stands in the text that was made of the bytes.
    needsStart: splitter.needsStart === true || !isUtf8,
    start: (outlet) => {
      if (encoding !== undefined && !isUtf8) return new Decoded(splitter.start(outlet), new TextDecoder(encoding))
      const mark = new Mark(splitter.name, encoding !== undefined)
      const state = splitter.start({
        open(count, from, to, places) {
          const { length } = mark
          return outlet.open(count, from + length, to + length, places && shifted(places, length))
        },
        push: (chunk) => outlet.push(chunk),
        now: () => outlet.now(),
      })
      return withoutMark(state, mark)
    },
  }
}

function isEncoding(label: unknown): boolean {
  if (typeof label !== 'string') return false
  try {
    return new TextDecoder(label).encoding !== ''
  } catch {
    // A RangeError: there is no such encoding.
    return false
  }
}

const utf8Mark = Buffer.from([0xef, 0xbb, 0xbf])
const utf16Marks = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])]

/** Looks at the first bytes of an input. */
class Mark {
  /** How many bytes were taken away. */
  length = 0
  readonly #name: string
  readonly #marks: readonly Buffer[]
  #held: Buffer | undefined = Buffer.alloc(0)

  /** @param isAsked - Whether the user has said that it is UTF-8. */
  constructor(name: string, isAsked: boolean) {
    this.#name = name
    this.#marks = isAsked ? [] : utf16Marks
  }

  /** Whether the input's beginning has gone by. */
  get isOver(): boolean {
    return this.#held === undefined
  }

  /** What of a chunk goes on; the first bytes are held back while they may become a mark. */
  strip(chunk: Buffer): Buffer {
    if (this.#held === undefined) return chunk
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    if (this.#marks.some((mark) => bytes.subarray(0, 2).equals(mark))) {
      throw new HosepipeError(
        'Split.Encoding',
        `${this.#name}: the input is UTF-16, as its byte order mark says: read it with encoding: ${bytes[0] === 0xff ? "'utf-16le'" : "'utf-16be'"}`,
      )
    }
    const mayBecome = [utf8Mark, ...this.#marks].some((mark) => {
      return bytes.length < mark.length && bytes.equals(mark.subarray(0, bytes.length))
    })
    if (mayBecome || bytes.length === 0) {
      this.#held = Buffer.from(bytes)
      return Buffer.alloc(0)
    }
    this.#held = undefined
    if (!bytes.subarray(0, utf8Mark.length).equals(utf8Mark)) return bytes
    this.length = utf8Mark.length
    return bytes.subarray(utf8Mark.length)
  }

  /** What was held back when the input ends. */
  rest(): Buffer {
    const held = this.#held ?? Buffer.alloc(0)
    this.#held = undefined
    return held
  }
}

function withoutMark(state: SplitterState, mark: Mark): SplitterState {
  const wrapped: SplitterState = {
    write(chunk) {
      if (mark.isOver) return state.write(chunk)
      const rest = mark.strip(chunk)
      return rest.length === 0 ? undefined : state.write(rest)
    },
    end() {
      const rest = mark.rest()
      const work = rest.length === 0 ? undefined : state.write(rest)
      return work === undefined ? state.end() : work.then(() => state.end())
    },
    destroy: () => state.destroy?.(),
  }
  // Only a splitter that has it is given memory that will be read into again.
  return state.detach === undefined ? wrapped : { ...wrapped, detach: () => state.detach?.() }
}

/** Gives a splitter the UTF-8 of another encoding. */
class Decoded implements SplitterState {
  readonly #state: SplitterState
  readonly #decoder: TextDecoder

  constructor(state: SplitterState, decoder: TextDecoder) {
    this.#state = state
    this.#decoder = decoder
  }

  write(chunk: Buffer): Work {
    return this.#give(this.#decoder.decode(chunk, { stream: true }))
  }

  end(): Work {
    const work = this.#give(this.#decoder.decode())
    return work === undefined ? this.#state.end() : work.then(() => this.#state.end())
  }

  destroy(): void {
    this.#state.destroy?.()
  }

  #give(text: string): Work {
    return text === '' ? undefined : this.#state.write(Buffer.from(text))
  }
}
