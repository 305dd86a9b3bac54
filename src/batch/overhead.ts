/** Whether something says what its format adds; the numbers decide where batches are cut. */
export function hasOverhead(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('overhead' in value)) return false
  const { overhead } = value
  if (typeof overhead !== 'object' || overhead === null) return false
  return ['record', 'batch'].every((name) => Number(Reflect.get(overhead, name)) >= 0)
}
