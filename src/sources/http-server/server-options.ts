import type { Clock } from '../../clock.ts'
import { OptionError } from '../../errors.ts'
import {
  clock,
  described,
  duration,
  expecting,
  type Fields,
  filled,
  object,
  oneOf,
  option,
  size,
  whole,
  wholeBetween,
} from '../../options.ts'
import type { Duration, Size } from '../../units.ts'

/** Options of what takes records by HTTP. */
export interface HttpServerOptions {
  /** The port to listen on; 0 for a free one. Default: none; then your own server calls `handle(request, response)`. */
  readonly port?: number | undefined
  /** The address to listen on. Default `'127.0.0.1'`: only this machine. */
  readonly host?: string | undefined
  /** Certificate and key, as `https.createServer` takes them: `cert`, `key`. Default: none, and the server speaks HTTP. */
  readonly tls?: Readonly<Record<string, unknown>> | undefined
  /** The path of requests; others are answered 404. Default: all paths. */
  readonly path?: string | undefined
  /**
   * When a request is answered: `'delivered'` when all of its records have ended, or `'accepted'` when they are handed on, which a crash may still lose. Records end with their
   * batch: set its `maxAge` to what your clients may wait. Default `'delivered'`.
   */
  readonly answerWhen?: 'delivered' | 'accepted' | undefined
  /** How long an answer may be waited for before it is 503, and the client has to send again. Default `'3m'`. */
  readonly answerTimeout?: Duration | undefined
  /** Bytes of one body, when it is decompressed. Default 16 MiB. */
  readonly maxBodyBytes?: Size | undefined
  /** Bytes of all bodies whose records have not ended; a request that has no room is answered 503 at once. Default 64 MiB. */
  readonly maxPendingBytes?: Size | undefined
  /** What `Retry-After` says with 503: whole seconds. Default 1. */
  readonly retryAfter?: number | undefined
  /** How long a client may take to send a request. Default `'60s'`. */
  readonly requestTimeout?: Duration | undefined
  /** Connections at a time; more are closed. Default 1,000. */
  readonly maxConnections?: number | undefined
  /** Time, for tests. Default: the system's. */
  readonly clock?: Clock | undefined
}

const MiB = 1024 * 1024

/** The table of {@link HttpServerOptions}. */
export const httpServerFields = {
  port: described(wholeBetween(0, 65_535), 'The port to listen on.'),
  host: option(filled, { default: '127.0.0.1', about: 'The address to listen on.' }),
  tls: object,
  path: described(
    expecting('a path that begins with /', (value) => typeof value === 'string' && /^\/[^?#\s]*$/.test(value)),
    'The path of requests.',
  ),
  answerWhen: option(oneOf('delivered', 'accepted'), { default: 'delivered', about: 'When a request is answered.' }),
  answerTimeout: option(duration(1), { default: 180_000, about: 'How long an answer may be waited for.' }),
  maxBodyBytes: option(size(), { default: 16 * MiB, about: 'Bytes of one body.' }),
  maxPendingBytes: option(size(), { default: 64 * MiB, about: 'Bytes of bodies whose records have not ended.' }),
  retryAfter: option(whole('seconds', 0), { default: 1, about: 'What Retry-After says.' }),
  requestTimeout: option(duration(1), { default: 60_000, about: 'How long a client may take to send a request.' }),
  maxConnections: option(whole('connections'), { default: 1_000, about: 'Connections at a time.' }),
  clock,
} satisfies Fields<HttpServerOptions>

/** Addresses that only this machine reaches. */
const loopback = /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/

/** @throws OptionError where everybody could send. */
export function checkOpenness(
  stage: string,
  { port, host }: HttpServerOptions,
  isGuarded: boolean,
  guards: string,
): void {
  if (port === undefined || isGuarded || loopback.test(host ?? '127.0.0.1')) return
  throw new OptionError(`${stage}.host`, `${stage}: with another host than this machine's own, ${guards} must be given`)
}
