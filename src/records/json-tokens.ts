/**
 * Where the strings and numbers of JSON (RFC 8259) end. Four bytes are looked at together, wherever they stand: one subtraction
 * for each word says whether any of its bytes is special, and the lowest flagged bit which one is the first.
 *
 *     " i n f o " ,          word    i n f o      no byte is special: on by four
 *       ▲                            " , …        the first byte is: the string ends here
 */

const quote = 0x22
const backslash = 0x5c
const highBits = 0x80808080
/** Behind so many bytes a string is likely to be long, and four words are looked at together. */
const longString = 32

/**
 * Flags, in the highest bit of each byte, those of a word that end a run of plain characters: `"`, `\` and what is below a
 * space. The lowest flag is exact; those above it may be wrong, because the subtractions borrow. XOR with 2 moves the quote to
 * 0x20 and keeps the control characters below it, so that one comparison finds both.
 */
function specialsOf(word: number): number {
  const low = word ^ 0x02020202
  const slash = word ^ 0x5c5c5c5c
  return ((low - 0x21212121) & ~low) | ((slash - 0x01010101) & ~slash)
}

/** Which byte of a word has the lowest flag. */
function firstFlag(flags: number): number {
  return (31 - Math.clz32(flags & -flags)) >>> 3
}

/**
 * Finds the quote that closes a string.
 *
 * @param from - Behind the opening quote.
 * @param lastWord - The last place in the buffer where a word can be read. It may lie behind `end`.
 * @returns Where the closing quote stands, as a negative number if there are escapes before it; 0 if this is no string.
 */
export function stringEnd(bytes: Buffer, view: DataView, from: number, end: number, lastWord: number): number {
  // Short, and without calls, so that it becomes a part of its caller.
  const near = Math.min(lastWord, from + longString)
  for (let at = from; at <= near; at += 4) {
    const word = view.getInt32(at, true)
    const low = word ^ 0x02020202
    const slash = word ^ 0x5c5c5c5c
    const flags = (((low - 0x21212121) & ~low) | ((slash - 0x01010101) & ~slash)) & highBits
    if (flags === 0) continue
    at += (31 - Math.clz32(flags & -flags)) >>> 3
    if (bytes[at] === quote && at < end) return at
    break
  }
  return longStringEnd(bytes, view, from, end, lastWord)
}

/** The same for strings that are long, have escapes, or stand at the buffer's end. */
function longStringEnd(bytes: Buffer, view: DataView, from: number, end: number, lastWord: number): number {
  let at = from
  let escaped = false
  for (;;) {
    at = skipPlain(view, at, lastWord)
    while (at < end && isPlain(bytes[at] ?? 0)) at += 1
    if (at >= end) return 0
    const byte = bytes[at]
    if (byte === quote) return escaped ? -at : at
    if (byte !== backslash) return 0
    escaped = true
    at = escapeEnd(bytes, at, end)
    if (at === 0) return 0
  }
}

/** Skips plain characters by sixteen bytes; fewer of them may follow. */
function skipPlain(view: DataView, from: number, lastWord: number): number {
  let at = from
  while (at + 12 <= lastWord) {
    const flags =
      specialsOf(view.getInt32(at, true)) |
      specialsOf(view.getInt32(at + 4, true)) |
      specialsOf(view.getInt32(at + 8, true)) |
      specialsOf(view.getInt32(at + 12, true))
    if ((flags & highBits) !== 0) break
    at += 16
  }
  return at
}

function isPlain(byte: number): boolean {
  return byte >= 0x20 && byte !== quote && byte !== backslash
}

/** The place behind an escape that begins at `at`; 0 if it is none. */
function escapeEnd(bytes: Buffer, at: number, end: number): number {
  if (at + 1 >= end) return 0
  switch (bytes[at + 1]) {
    case quote:
    case backslash:
    case 0x2f: // the slash
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return at + 2
    case 0x75: // u
      return at + 6 <= end &&
        isHex(bytes[at + 2]) &&
        isHex(bytes[at + 3]) &&
        isHex(bytes[at + 4]) &&
        isHex(bytes[at + 5])
        ? at + 6
        : 0
    default:
      return 0
  }
}

function isHex(byte = 0): boolean {
  const lower = byte | 0x20
  return (byte >= 0x30 && byte <= 0x39) || (lower >= 0x61 && lower <= 0x66)
}

/**
 * Finds the end of a whole number of up to eight digits that has no sign and no zero in front, and behind which a member or an
 * element ends. Short, and without calls, so that it becomes a part of its caller.
 *
 * @returns The place behind it; 0 where {@link numberEnd} has to say.
 */
export function wholeNumberEnd(bytes: Buffer, view: DataView, from: number, end: number, lastWord: number): number {
  const first = bytes[from] ?? 0
  if (first < 0x31 || first > 0x39 || from + 5 > lastWord) return 0
  let at = from + 1
  let word = view.getInt32(at, true) ^ 0x30303030
  let flags = (((word & 0x7f7f7f7f) + 0x76767676) | word) & highBits
  if (flags === 0) {
    at += 4
    word = view.getInt32(at, true) ^ 0x30303030
    flags = (((word & 0x7f7f7f7f) + 0x76767676) | word) & highBits
    if (flags === 0) return 0
  }
  at += (31 - Math.clz32(flags & -flags)) >>> 3
  const byte = bytes[at]
  return at < end && (byte === 0x2c || byte === 0x7d || byte === 0x5d) ? at : 0
}

/**
 * Finds the end of a number.
 *
 * @param from - Where its first character stands.
 * @returns The place behind it; 0 if this is no number.
 */
export function numberEnd(bytes: Buffer, view: DataView, from: number, end: number, lastWord: number): number {
  let at = bytes[from] === 0x2d ? from + 1 : from
  if (at >= end) return 0
  const first = bytes[at] ?? 0
  at += 1
  if (first >= 0x31 && first <= 0x39) at = digitsEnd(bytes, view, at, end, lastWord)
  else if (first !== 0x30) return 0
  if (at < end && bytes[at] === 0x2e) {
    const fraction = at + 1
    at = digitsEnd(bytes, view, fraction, end, lastWord)
    if (at <= fraction) return 0
  }
  if (at < end && ((bytes[at] ?? 0) | 0x20) === 0x65) {
    at += 1
    if (at < end && (bytes[at] === 0x2b || bytes[at] === 0x2d)) at += 1
    const exponent = at
    at = digitsEnd(bytes, view, exponent, end, lastWord)
    if (at <= exponent) return 0
  }
  return at
}

/** The first place from `from` on that is no digit. Nothing is carried from one byte of a word to the next, so every flag is exact. */
function digitsEnd(bytes: Buffer, view: DataView, from: number, end: number, lastWord: number): number {
  let at = from
  while (at <= lastWord) {
    const word = view.getInt32(at, true) ^ 0x30303030
    const flags = (((word & 0x7f7f7f7f) + 0x76767676) | word) & highBits
    if (flags !== 0) return Math.min(at + firstFlag(flags), end)
    at += 4
  }
  while (at < end && isDigit(bytes[at])) at += 1
  return Math.min(at, end)
}

function isDigit(byte = 0): boolean {
  return byte >= 0x30 && byte <= 0x39
}

/** The first place from `from` on that is no white space. */
export function spaceEnd(bytes: Buffer, from: number, end: number): number {
  let at = from
  while (at < end) {
    const byte = bytes[at]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break
    at += 1
  }
  return at
}
