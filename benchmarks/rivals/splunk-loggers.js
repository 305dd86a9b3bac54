/** What loggers send events to Splunk with: Splunk's own library, and the transport of winston that is made on it. */
import { once } from 'node:events'
import split2 from 'split2'
import { read } from '../support/reading.js'

const token = '11111111-2222-4333-8444-555555555555'
/** Events of a request: about 5 MiB of records of 1 KB. */
const batchCount = 5_000

/** Splunk's own library, told to send a batch at a time. */
export async function splunkLogging(file, url) {
  const { Logger } = (await import('splunk-logging')).default
  const logger = new Logger({ url, token, maxBatchCount: 0, batchInterval: 0, maxBatchSize: 0 })
  const flush = () => new Promise((resolve, reject) => logger.flush((error) => (error ? reject(error) : resolve())))
  let waiting = 0
  for await (const line of read(file).pipe(split2())) {
    logger.send({ message: JSON.parse(line) })
    waiting += 1
    if (waiting < batchCount) continue
    await flush()
    waiting = 0
  }
  if (waiting > 0) await flush()
}

/** A transport of winston, which is made on it, and sends each event by itself. */
export async function winstonTransport(file, url) {
  const SplunkTransport = (await import('winston-splunk-httplogger')).default
  const { createLogger } = (await import('winston')).default
  const transport = new SplunkTransport({ splunk: { url, token } })
  const logger = createLogger({ transports: [transport] })
  let [sent, logged] = [0, 0]
  transport.on('logged', () => {
    logged += 1
  })
  for await (const line of read(file).pipe(split2())) {
    logger.info(JSON.parse(line))
    sent += 1
  }
  while (logged < sent) await once(transport, 'logged')
}
