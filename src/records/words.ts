/** Four bytes at a time, of the buffer that was read last: to make a view costs more than to read a field. */

let viewed: Buffer | undefined
const noView: DataView = new DataView(new ArrayBuffer(0))
let view = noView

/** A view of all of the bytes. */
export function viewOf(bytes: Buffer): DataView {
  if (bytes !== viewed) {
    viewed = bytes
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }
  return view
}

/** Releases the buffer that was viewed last; until then it cannot be collected. */
export function release(): void {
  if (viewed === undefined) return
  viewed = undefined
  view = noView
}
