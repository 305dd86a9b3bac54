let kept: { readonly view: Buffer; readonly copy: string } | undefined

/** A plain function, which keeps a record that it was given and looks at it again. */
export default (record: Buffer): Buffer => {
  kept ??= { view: record, copy: record.toString('latin1') }
  if (kept.view.toString('latin1') !== kept.copy) throw new Error('a record was taken away or written over')
  return record.subarray(record.length >> 1)
}
