import { HosepipeError } from '../errors.ts'

const utf8 = Buffer.from([0xef, 0xbb, 0xbf])
const utf16 = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])]

/**
 * Takes a UTF-8 byte order mark from the beginning of an input, because it is no part of the first record. An input that begins with
 * the mark of UTF-16 is refused: its newlines have two bytes, and every record would be garbled.
 */
export class ByteOrderMark {
  readonly #splitter: string
  #held: Buffer = Buffer.alloc(0)
  #isPast = false
  #length = 0

  constructor(splitter: string) {
    this.#splitter = splitter
  }

  /** Whether the beginning of the input is decided, and chunks need not come here any more. */
  get isPast(): boolean {
    return this.#isPast
  }

  /** How many bytes the mark had: the offset in the input of the first byte that was returned. */
  get length(): number {
    return this.#length
  }

  /**
   * Takes a chunk from the beginning of the input.
   *
   * @returns What follows the mark, or nothing as long as the bytes so far may be a part of one.
   * @throws HosepipeError `Split.Encoding` for UTF-16.
   */
  take(chunk: Buffer): Buffer {
    const all = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    if (utf16.some((mark) => startsWith(all, mark))) {
      throw new HosepipeError(
        'Split.Encoding',
        `${this.#splitter}: the input begins with the byte order mark of UTF-16, but records are split as UTF-8; ` +
          'convert it first, for example with iconv -f UTF-16 -t UTF-8',
      )
    }
    if ([utf8, ...utf16].some((mark) => all.length < mark.length && startsWith(mark, all))) {
      // A copy, because the memory of the chunk may be read into again.
      this.#held = Buffer.from(all)
      return all.subarray(0, 0)
    }
    this.#isPast = true
    this.#length = startsWith(all, utf8) ? utf8.length : 0
    return this.#length === 0 ? all : all.subarray(this.#length)
  }

  /** Returns the bytes that were held as a part of a mark, now that the input has ended. */
  end(): Buffer {
    const held = this.#isPast ? Buffer.alloc(0) : this.#held
    this.#isPast = true
    return held
  }
}

function startsWith(bytes: Buffer, beginning: Buffer): boolean {
  return bytes.subarray(0, beginning.length).equals(beginning)
}
