import type { IncomingMessage } from 'node:http'
import { systemClock } from '../../clock.ts'
import { callable, described, expecting, type Fields, hasMethod, option, readOptions } from '../../options.ts'
import type { FailedRecords } from '../../records/failed-records.ts'
import type { Metadata } from '../../records/metadata.ts'
import { sharedMetadata } from '../../records/metadata.ts'
import { Records } from '../../records/records.ts'
import { jsonValues } from '../../split/json-values.ts'
import { lines } from '../../split/lines.ts'
import { splitCore } from '../../split/split-core.ts'
import type { Splitter } from '../../split/splitter.ts'
import { RequestRefused } from './answer.ts'
import { type Ends, RecordServer, type RequestProtocol } from './record-server.ts'
import { isSecret } from './secrets.ts'
import { checkOpenness, type HttpServerOptions, httpServerFields } from './server-options.ts'

/** Options of {@link httpSource}. */
export interface HttpSourceOptions extends HttpServerOptions {
  /**
   * How records are found in a body, each of which is a text of its own: a splitter; `'body'`, where all of it is one record; or `'type'` by its media type: the elements of an array, or
   * values one after another, for `application/json`, and lines for all others. Default `'type'`.
   */
  readonly split?: Splitter | 'type' | 'body' | undefined
  /** What `Authorization: Bearer …` has to say. It is never shown. Default: none. */
  readonly token?: string | undefined
  /** Says whether a request may send records, by its header fields: with `false` it is answered 401. Default: all may, or those with `token`. */
  readonly authorize?: ((request: IncomingMessage) => boolean | Promise<boolean>) | undefined
  /** What is known of the records of a request: becomes their metadata. Default: nothing. */
  readonly metadata?: ((request: IncomingMessage) => Metadata) | undefined
}

/** The table of {@link HttpSourceOptions}. */
export const httpSourceFields = {
  ...httpServerFields,
  split: option(
    expecting(
      "a splitter, 'type' or 'body'",
      (value) => value === 'type' || value === 'body' || hasMethod(value, 'start'),
      {
        enum: ['type', 'body'],
      },
    ),
    { default: 'type', about: 'How records are found in a body.' },
  ),
  token: described(
    expecting('text without spaces', (value) => typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)),
    'What Authorization: Bearer has to say.',
  ),
  authorize: callable,
  metadata: callable,
} satisfies Fields<HttpSourceOptions>

/**
 * Takes records from the bodies of POST and PUT requests, and answers each when its records have ended: 200 with what became of them. A body that cannot be split is answered 400, and no record of it is handed
 * on; where there is no room, 503 with `Retry-After`. Bodies may be compressed with gzip.
 *
 * With a `port` it listens; without one, `handle(request, response)` is for a server of yours.
 *
 * @returns A Readable of `Records`: `pipeline(httpSource({ port: 8080 }), firehose({ to }))`. `close()` answers what is under way and ends it.
 * @throws OptionError
 * @example
 * const source = httpSource({ port: 8080, token: process.env.TOKEN })
 * await pipeline(source, firehose({ batch: { maxAge: '1s' }, to, backup }))
 */
export function httpSource(options: HttpSourceOptions = {}): RecordServer {
  const read = readOptions('httpSource', options, httpSourceFields)
  const isGuarded = read.token !== undefined || read.authorize !== undefined
  checkOpenness('httpSource', options, isGuarded, 'token or authorize')
  const clock = options.clock ?? systemClock
  const { path, token, authorize, metadata, answerWhen } = read

  const protocol: RequestProtocol = {
    async admit(request) {
      const { method, url = '/', headers } = request
      if (path !== undefined && url.split('?')[0] !== path) throw new RequestRefused(404, 'there is nothing here')
      if (method !== 'POST' && method !== 'PUT') {
        throw new RequestRefused(405, 'records come by POST or PUT', { allow: 'POST, PUT' })
      }
      if (token !== undefined) {
        const [, given] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? []
        if (!isSecret(given, token)) throw new RequestRefused(401, 'who are you?', { 'www-authenticate': 'Bearer' })
      }
      if (authorize !== undefined && (await authorize(request)) !== true) throw new RequestRefused(401, 'who are you?')
      return undefined
    },
    async read(request, body, ends) {
      const known = metadata === undefined ? undefined : sharedMetadata(metadata(request))
      const chunks = await split(splitterFor(read.split, request), body, ends, clock)
      return known === undefined
        ? chunks
        : chunks.map((chunk) => (chunk instanceof Records ? chunk.withMetadata(known) : chunk))
    },
    taken(_, { delivered, dropped, backedUp, in: records }) {
      if (answerWhen === 'accepted') return { status: 202, body: { records } }
      return { status: 200, body: { records, delivered, dropped, backedUp } }
    },
    refused: (_, { status, message, headers }) => ({ status, headers, body: { error: message } }),
  }
  return new RecordServer({ ...read, port: options.port, tls: options.tls, clock }, protocol)
}

function splitterFor(given: Splitter | 'type' | 'body', { headers }: IncomingMessage): Splitter | undefined {
  if (given === 'body') return undefined
  if (given !== 'type') return given
  return /^application\/(?:[\w.-]+\+)?json\b/i.test(headers['content-type'] ?? '') ? jsonValues() : lines()
}

/** The records of a body. Nothing is handed on before all of them are found. */
async function split(
  splitter: Splitter | undefined,
  body: Buffer,
  ends: Ends,
  clock: typeof systemClock,
): Promise<readonly (Records | FailedRecords)[]> {
  const { account } = ends
  const onAbandoned = (error: Error): void => ends.abandoned(error)
  if (splitter === undefined) {
    const arrivedAt = clock.wall()
    const onSettled = ends.opened()
    const receipt = account.open(1, arrivedAt, { onSettled, onAbandoned: (_, error) => onAbandoned(error) })
    return [Records.pack({ receipt, arrivedAt }, [body])]
  }
  const chunks: (Records | FailedRecords)[] = []
  const core = splitCore(splitter, {
    account,
    clock,
    source: undefined,
    push: (chunk) => chunks.push(chunk),
    onOpen: () => ends.opened(),
    onAbandoned,
  })
  try {
    if (body.length > 0) await core.bytes(body)
    await core.end()
  } catch (error) {
    core.destroy()
    throw error
  }
  return chunks
}
