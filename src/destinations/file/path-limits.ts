/** What a path may be. A key that is too long fails: cut, it could be read back as that of another value. */
import { HosepipeError } from '../../errors.ts'

/** Bytes of one name in a folder. */
export const maxNameBytes = 255
/** Bytes of a path, with the NUL behind it: `PATH_MAX`. */
export const maxPathBytes = process.platform === 'darwin' ? 1024 : 4096

/**
 * A key as the path of a file below a folder.
 *
 * @param room - Bytes for the key.
 * @throws HosepipeError `Delivery.NoObjectKey` for what no file can be called, or what leads elsewhere.
 */
export function checkedKey(key: string, room: number): string {
  for (const name of key.split('/')) {
    const bytes = Buffer.byteLength(name)
    if (bytes > maxNameBytes) {
      throw unusable(`the name ${cut(name, 40)}… has ${bytes} bytes, but at most ${maxNameBytes} are possible`)
    }
    if (name === '.' || name === '..') throw unusable(`the key has a folder named ${name}`)
  }
  if (key.includes('\0')) throw unusable('the key has a NUL in it')
  const bytes = Buffer.byteLength(key)
  if (bytes > room) throw unusable(`the key has ${bytes} bytes, but at most ${room} are possible in dir`)
  return key
}

function unusable(why: string): HosepipeError {
  return new HosepipeError('Delivery.NoObjectKey', `file: ${why}`)
}

/** As many whole characters from the start of a text as take at most `bytes`. */
export function cut(text: string, bytes: number): string {
  const encoded = Buffer.from(text)
  if (encoded.length <= bytes) return text
  let end = bytes
  while (end > 0 && ((encoded[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return encoded.toString('utf8', 0, end)
}
