import { type Clock, systemClock } from '../../clock.ts'
import { gzip } from '../../compress/gzip.ts'
import type { Destination, Request, SendContext } from '../../deliver/destination.ts'
import { InFlight } from '../../deliver/in-flight.ts'
import { OptionError } from '../../errors.ts'
import { sendHalved } from '../http-client/halved.ts'
import { Acknowledgements, asMistake } from './acknowledgements.ts'
import { eventBody } from './event-body.ts'
import { HecClient } from './hec-client.ts'
import { rawBody } from './raw-body.ts'
import { hecAnswerIn, refusedBy, SplunkError, whyHalve } from './splunk-error.ts'
import { readSplunkOptions, type SplunkInForce, type SplunkOptions } from './splunk-options.ts'

/** What the request of an attempt may take beside the waiting for its acknowledgement, in milliseconds: what the service gives an endpoint. */
const requestTime = 180_000
/** How long Splunk has to say whether we may send, before the first batch. */
const openTime = 10_000

/**
 * A destination that sends batches to the HTTP Event Collector of Splunk, and waits until Splunk has indexed them.
 *
 * A batch whose acknowledgement does not come in time is sent again, so that events may be there twice. The waiting is not taken from the time for
 * retries. What is too large (413) is sent in halves, and so is what is refused for one event, until that is found.
 *
 * @throws OptionError
 * @example
 * splunk({ url: 'https://splunk.example.com:8088', token, time: field('at'), sourcetype: 'orders' })
 */
export function splunk(options: SplunkOptions): Destination {
  const read = readSplunkOptions(options)
  const { endpoint, acknowledge, acknowledgeTimeout, maxUnacknowledged, keepUntilAcknowledged, contentEncoding } = read
  const { concurrency, maxBytes, maxRecords } = read
  const clock = options.clock ?? systemClock
  const client = new HecClient(options)
  const room = new InFlight(concurrency, Number.POSITIVE_INFINITY)
  const acknowledgements = new Acknowledgements(client, {
    clock,
    interval: read.acknowledgeInterval,
    timeout: acknowledgeTimeout,
  })
  const query = endpoint === 'raw' ? queryOf(read) : {}

  /** Resolves to the id of the acknowledgement, when Splunk has taken the request. */
  async function post(request: Request, signal: AbortSignal): Promise<number | undefined> {
    await room.enter(0)
    try {
      signal.throwIfAborted()
      const ask = { endpoint: `/${endpoint}`, query, body: request.body, contentEncoding: request.contentEncoding }
      const answer = await client.ask({ ...ask, signal })
      if (answer.status < 200 || answer.status > 299) throw refusedBy(answer, clock.wall())
      const { code, ackId } = hecAnswerIn(answer.body)
      if (code === 0) return ackId
      if (code !== undefined) throw refusedBy(answer, clock.wall())
      const words = `the answer has the status ${answer.status}, but is none of the HTTP Event Collector: it has no code`
      throw new SplunkError('Splunk.InvalidHecResponseCharacter', words, { retryable: true })
    } finally {
      room.leave(0)
    }
  }

  async function attempt(request: Request, signal: AbortSignal): Promise<void> {
    const id = await post(request, signal)
    if (!acknowledge) return
    if (id === undefined) throw noAcknowledgements()
    if (!keepUntilAcknowledged) request.stored()
    await acknowledgements.wait(id, signal)
  }

  return {
    name: 'splunk',
    encode: endpoint === 'raw' ? rawBody(read.maxRecordBytes) : eventBody(eventsOf(read)),
    compress: contentEncoding === 'gzip' ? gzip() : undefined,
    fixedFormat: true,
    concurrency: acknowledge ? maxUnacknowledged : concurrency,
    timeout: acknowledge ? acknowledgeTimeout + requestTime : requestTime,
    limits: { maxBytes, maxRecords },
    open: acknowledge ? () => checkAcknowledgements(client, clock) : undefined,
    send: (request: Request, { signal }: SendContext) => sendHalved(request, (part) => attempt(part, signal), whyHalve),
    close: () => client.close(),
  }
}

function eventsOf({ time, host, source, sourcetype, index, fields }: SplunkInForce) {
  return { time, members: { host, source, sourcetype, index }, fields }
}

function queryOf(read: SplunkInForce): Record<string, string> {
  const query: Record<string, string> = {}
  for (const name of ['host', 'source', 'sourcetype', 'index'] as const) {
    const value = read[name]
    if (typeof value === 'string') query[name] = value
  }
  return query
}

/** Splunk has taken the events; what it would say of them later nobody can ask. */
function noAcknowledgements(): SplunkError {
  const words =
    'Splunk has taken the events without an acknowledgement: switch on indexer acknowledgement for the token, or write acknowledge: false'
  return new SplunkError('Splunk.AcknowledgementsDisabled', words, { retryable: false, misconfigured: true })
}

/** Asks for an acknowledgement that nobody waits for: a wrong token, and one without acknowledgements, say so. Who does not answer may be out of order. */
async function checkAcknowledgements(client: HecClient, clock: Clock): Promise<void> {
  const controller = new AbortController()
  const takeBack = clock.schedule(openTime, () => controller.abort())
  const body = Buffer.from('{"acks":[0]}')
  const answer = await client.ask({ endpoint: '/ack', body, signal: controller.signal }).catch(() => undefined)
  takeBack()
  if (answer === undefined || answer.status < 300) return
  const error = refusedBy(answer, clock.wall())
  if (error.retryable) return
  const mistake = asMistake(error)
  const isToken = mistake.code !== 'Splunk.AcknowledgementsDisabled'
  const hint = isToken ? '' : '; switch on indexer acknowledgement for it, or write acknowledge: false'
  throw new OptionError(isToken ? 'splunk.token' : 'splunk.acknowledge', `splunk: ${mistake.message}${hint}`)
}
