import { HosepipeError } from '../../errors.ts'
import { type DeliverStream, deliver } from '../deliver.ts'
import type { DeliverOptions } from '../deliver-options.ts'
import type { Destination, Send } from '../destination.ts'

/**
 * A Writable for failed records alone, where a stage has a backup of its own: `transform(fn, { backup: backupTo(destination) })`.
 * A record that has not failed goes to the same place, as one that was sent the wrong way.
 *
 * @throws OptionError
 */
export function backupTo(
  destination: Destination | Send,
  options: Omit<DeliverOptions, 'backup' | 'backupMode' | 'encode' | 'compress'> = {},
): DeliverStream {
  return deliver(wrongWay, { ...options, backup: destination })
}

const wrongWay: Destination = {
  name: 'backupTo',
  async send() {
    const error = new HosepipeError('Input.Unsupported', 'backupTo takes failed records alone, but a good one came')
    throw Object.assign(error, { retryable: false })
  },
}
