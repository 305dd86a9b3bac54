/** The places below `length` that none of `records` has; theirs ascend. */
export function complement(records: readonly { readonly index: number }[], length: number): number[] {
  const others: number[] = []
  let next = 0
  for (let index = 0; index < length; index += 1) {
    if (records[next]?.index === index) next += 1
    else others.push(index)
  }
  return others
}
