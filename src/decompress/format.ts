/** Which compression bytes have, by their first ones. */

/** Compressions that can be read. */
export type ReadableFormat = 'gzip' | 'zstd'

/** How a stream of bytes begins. */
export type Format =
  | { readonly format: ReadableFormat | 'none' }
  /** What is known, but cannot be read: its name, and how it is made readable. */
  | { readonly unreadable: string; readonly instead: string }

/** The first bytes of each format, in hexadecimal; a dot is any digit. */
const readable: readonly (readonly [ReadableFormat, string])[] = [
  // RFC 1952, section 2.3: magic, and deflate.
  ['gzip', '1f8b08'],
  // RFC 8878, section 3.1: a frame, or a skippable one.
  ['zstd', '28b52ffd'],
  ['zstd', '5.2a4d18'],
]

const unreadable: readonly (readonly [string, string, string])[] = [
  ['bzip2', '425a68', 'bzip2 -dc'],
  ['xz', 'fd377a585a00', 'xz -dc'],
  ['lz4', '04224d18', 'lz4 -dc'],
  ['compress', '1f9d', 'uncompress -c'],
  ['7-Zip', '377abcaf271c', '7z e -so'],
  ['ZIP', '504b0304', 'unzip -p'],
  ['Snappy', 'ff060000734e6150', 'snzip -dc'],
  ['Snappy', '82534e41505059', "a reader of snappy-java's"],
  ['Parquet', '50415231', 'a reader of Parquet'],
]

/** Brotli says nothing of itself, so only a name tells. */
const byName: readonly (readonly [string, RegExp, string])[] = [['Brotli', /\.br$/i, 'brotli -dc']]

/** Whether more bytes than these are needed to tell the format. */
export function isUndecided(head: Uint8Array): boolean {
  return [...readable, ...unreadable].some(([, magic]) => magic.length > head.length * 2 && matches(head, magic))
}

/**
 * How bytes begin.
 *
 * @param head - The first of them: until they are decided, or all.
 * @param name - What they come from, where that is known: a path.
 */
export function formatOf(head: Uint8Array, name = ''): Format {
  const isWhole = (magic: string): boolean => magic.length <= head.length * 2 && matches(head, magic)
  for (const [format, magic] of readable) if (isWhole(magic)) return { format }
  for (const [what, magic, instead] of unreadable) if (isWhole(magic)) return { unreadable: what, instead }
  for (const [what, pattern, instead] of byName) if (pattern.test(name)) return { unreadable: what, instead }
  return { format: 'none' }
}

/** Whether bytes are those of a format as far as both go. */
function matches(head: Uint8Array, magic: string): boolean {
  const digits = Buffer.from(head).toString('hex')
  for (let i = 0; i < Math.min(digits.length, magic.length); i += 1) {
    if (magic[i] !== '.' && magic[i] !== digits[i]) return false
  }
  return true
}
