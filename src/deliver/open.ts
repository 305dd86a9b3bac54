import { OptionError, toError } from '../errors.ts'
import type { Destination } from './destination.ts'

/**
 * Asks destinations whether they can be used, so that a mistake of configuration ends a stream at its beginning and is not taken for an
 * outage that may pass.
 *
 * @param destinations - By the option that each was given in, for messages.
 * @throws OptionError that names the option.
 */
export async function openDestinations(destinations: Readonly<Record<string, Destination | undefined>>): Promise<void> {
  for (const [option, destination] of Object.entries(destinations)) {
    try {
      await destination?.open?.()
    } catch (error) {
      throw new OptionError(option, `${option} cannot be used: ${toError(error).message}`)
    }
  }
}
