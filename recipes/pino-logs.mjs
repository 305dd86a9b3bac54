// pino's logs: a firehose is a stream that pino writes to.
import { finished } from 'node:stream/promises'
import { firehose, lines } from 'hosepipe'
import { pino } from 'pino'

/**
 * @param {import('hosepipe').Destination} to Where logs go.
 * @param {import('hosepipe').Destination} backup Where those go that fail.
 */
export function logger(to, backup) {
  const hose = firehose({ split: lines(), batch: { maxBytes: '1MiB', maxAge: '10s' }, to, backup })
  const log = pino({ level: 'info' }, hose)
  /** Before the process ends: what was logged is delivered. */
  const close = async () => {
    hose.end()
    await finished(hose)
  }
  return { log, close }
}
