import { HosepipeError, OptionError } from '../../errors.ts'
import type { ObjectKey, ObjectKeyOptions } from './object-key.ts'
import { partitionKeysIn } from './template.ts'

/**
 * Makes a key of each prefix with short values, so that a prefix which no key can have is refused, and not each batch.
 *
 * @param stage - The destination, for messages: `file`.
 * @throws OptionError that says why a prefix cannot be used.
 */
export function checkPrefixes(
  stage: string,
  { prefix = '', objectName = '' }: ObjectKeyOptions,
  objectKey: ObjectKey,
): void {
  const partitionKeys = Object.fromEntries(partitionKeysIn(prefix + objectName).map((name) => [name, 'x']))
  const facts = { partitionKeys, oldestArrival: 0 }
  const samples = { prefix: undefined, errorPrefix: 'processing-failed' } as const
  for (const [option, outputType] of Object.entries(samples)) {
    try {
      objectKey({ ...facts, outputType }, '')
    } catch (error) {
      if (!(error instanceof HosepipeError)) throw error
      throw new OptionError(
        `${stage}.${option}`,
        `${stage}: ${option} cannot be used: ${error.message.replace(`${stage}: `, '')}`,
      )
    }
  }
}
