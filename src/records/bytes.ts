/**
 * The bytes of what is bytes but no Buffer: an ArrayBuffer, shared or not, or a view of one. As JSON these would be nothing, or an
 * object with a member for each byte.
 *
 * @returns A view of the same memory; `undefined` for everything else.
 */
export function bytesOf(value: object): Buffer | undefined {
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return Buffer.from(value)
  return undefined
}
