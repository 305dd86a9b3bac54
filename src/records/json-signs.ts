/** The signs of JSON (RFC 8259) as bytes, and its words as numbers, for those who walk over bytes. */

export const quote = 0x22
export const comma = 0x2c
export const minus = 0x2d
/** No sign that begins a value but a quote stands before it and is none of a number. */
export const nine = 0x39
export const colon = 0x3a
export const openBracket = 0x5b
export const closeBracket = 0x5d
export const openBrace = 0x7b
export const closeBrace = 0x7d
/** `true`, and `alse` behind an `f`, and `null`: four bytes as a word, little-endian. */
export const wordTrue = 0x65757274
export const wordAlse = 0x65736c61
export const wordNull = 0x6c6c756e
