import { OptionError } from '../errors.ts'
import { nearestOf } from '../options.ts'
import type { Destination } from './destination.ts'

/**
 * Refuses a destination whose object keys need partition keys that batches do not have: every one of them would fail.
 *
 * @param option - Where the destination was given, for messages: `firehose.to`.
 * @param made - The names of the partition keys that batches have.
 * @throws OptionError
 */
export function checkPartitionKeys(
  option: string,
  { name, partitionKeys = [] }: Destination,
  made: readonly string[],
): void {
  const missing = partitionKeys.find((key) => !made.includes(key))
  if (missing === undefined) return
  const nearest = nearestOf(missing, made)
  const have =
    made.length === 0 ? 'batches have no key: give batch one' : `the key of batch makes only ${made.join(', ')}`
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
  throw new OptionError(option, `${option}: ${name} names objects by the partition key ${missing}, but ${have}${hint}`)
}
