/**
 * Makes paths out of whatever stands in records. Nothing is refused, so that no record is lost; what a path cannot hold is written
 * in another way, and different values stay different:
 *
 *     a/b → a%2Fb     .. → %2E%2E     50% → 50%25     (nothing) → %     300 bytes → the first 221, %~ and a hash of all
 */
import { createHash } from 'node:crypto'

/** Bytes of one name in a folder. */
export const maxNameBytes = 255
/** Bytes of a path, with the NUL behind it: `PATH_MAX`. */
export const maxPathBytes = process.platform === 'darwin' ? 1024 : 4096

const hashDigits = 32
/** Cannot come from a value: there, a percent sign is followed by a digit or a letter. */
const hashMark = '%~'
const hashBytes = hashMark.length + hashDigits

/** Percent itself, separators, control characters (NUL among them), and halves of characters, which have no UTF-8. */
const unfit = /[%/\\\p{Cc}\p{Cs}]/gu

/** Writes a value so that it is a part of one name: it makes no folder, and leads to none. Different values stay different. */
export function escapeValue(value: string): string {
  if (value === '') return '%'
  if (value === '.' || value === '..') return value.replaceAll('.', '%2E')
  return value.replace(unfit, escapeCharacter)
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code >= 0xd800) return `%u${hex(code)}`
  return Array.from(Buffer.from(character), (byte) => `%${hex(byte)}`).join('')
}

function hex(number: number): string {
  return number.toString(16).toUpperCase().padStart(2, '0')
}

/**
 * Puts a prefix and a name together so that no name in the path is longer than 255 bytes and the whole fits too. What is too long
 * is cut, and a hash of all of it follows.
 *
 * @param prefix - Folders, and what the file's own name begins with.
 * @param name - The rest of the file's name; it is never cut.
 * @param room - Bytes for the folders, slashes included.
 */
export function fitKey(prefix: string, name: string, room: number): string {
  const end = prefix.lastIndexOf('/') + 1
  const folders = fitFolders(prefix.slice(0, end), room)
  return folders + fitName(prefix.slice(end), maxNameBytes - Buffer.byteLength(name)) + name
}

function fitFolders(path: string, room: number): string {
  // UTF-8 takes at most three bytes for each UTF-16 unit.
  if (path.length * 3 <= Math.min(room, maxNameBytes)) return path
  const names = path.split('/').map((name) => fitName(name, maxNameBytes))
  const fitted = names.join('/')
  if (Buffer.byteLength(fitted) <= room) return fitted
  let kept = ''
  let left = room - hashBytes - 1
  for (const name of names) {
    left -= Buffer.byteLength(name) + 1
    if (left < 0) break
    kept += `${name}/`
  }
  return `${kept}${hashOf(path)}/`
}

function fitName(name: string, bytes: number): string {
  if (Buffer.byteLength(name) <= bytes) return name
  return cut(name, bytes - hashBytes) + hashOf(name)
}

function hashOf(text: string): string {
  return hashMark + createHash('sha256').update(text).digest('hex').slice(0, hashDigits)
}

/** As many whole characters from the start of a text as take at most `bytes`. */
export function cut(text: string, bytes: number): string {
  const encoded = Buffer.from(text)
  if (encoded.length <= bytes) return text
  let end = bytes
  while (end > 0 && ((encoded[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return encoded.toString('utf8', 0, end)
}
