/** `hosepipe serve`: a server of the Firehose API, whose streams are those of a config and those that are created. */
import { dirname, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { placedFunctions } from '../delivery-stream/functions.ts'
import { type DeliveryStreamOptions, fromDeliveryStream } from '../delivery-stream/index.ts'
import { described, type Fields, filled, flag, object, readOptions } from '../options.ts'
import { redact } from '../redact.ts'
import { directPutFields } from '../sources/direct-put/direct-put.ts'
import { type DirectPutOptions, directPut } from '../sources/direct-put/index.ts'
import { durationText } from '../units.ts'
import { type Config, isObject, readConfig } from './config.ts'
import { secretOf } from './destinations/secrets.ts'
import { passOn } from './forms.ts'
import type { RunControl } from './run.ts'
import { checkKinesis, type ServedSources, sourcesOf } from './served-sources.ts'
import { onSignals } from './stop.ts'
import { UsageError, wordsOf } from './usage-error.ts'

/** What a config of `serve` says: options of `directPut`, what `fromDeliveryStream` has to know, and configurations of streams. */
interface ServeConfig
  extends Omit<DirectPutOptions, 'streams' | 'create' | 'onStreamError' | 'clock'>,
    Pick<DeliveryStreamOptions, 'dir' | 'endpoints' | 'schemas' | 'searchAuth' | 'functions' | 'lambda'>,
    Partial<ServedSources> {
  /** Configurations as CreateDeliveryStream takes them, by the names of their streams. */
  readonly streams?: Readonly<Record<string, unknown>> | undefined
}

const { create: _create, onStreamError: _onStreamError, clock: _clock, streams: _streams, ...served } = directPutFields

/** An object that JSON can say. */
const written = { ...object, written: { type: 'object' } }

/** The table of a config of `serve`. */
export const serveFields = {
  ...served,
  streams: object,
  dir: described(
    filled,
    'A folder, whose folders stand for buckets. Default: those of S3, or ./firehose without a config.',
  ),
  endpoints: described(written, 'Other addresses for those of the configurations, and for ARNs of OpenSearch domains.'),
  schemas: described(written, 'Columns that stand for tables of Glue, by database.table.'),
  searchAuth: described(written, 'Who asks clusters of OpenSearch: see openSearch().'),
  functions: described(
    written,
    'Handlers that stand for Lambda functions, by their ARNs: paths of modules, or handler with options.',
  ),
  kinesis: described(object, 'How streams of Kinesis are read that are sources.'),
  kafka: described(written, 'How clusters of MSK are read that are sources: options of kafka(), brokers above all.'),
  lambda: described(flag, 'Whether functions that functions does not have are invoked in AWS. Default false.'),
} satisfies Fields<ServeConfig>

const defaultPort = 4573
const defaultDir = './firehose'

/**
 * Serves until a signal comes, and then delivers what there is.
 *
 * @param path - That of the config. Default: none, and the buckets of streams are folders.
 * @param grace - How long what there is may take to be delivered, in milliseconds.
 * @returns The exit code.
 */
export async function serve(path: string | undefined, grace: number, control: RunControl): Promise<number> {
  const config = path === undefined ? {} : placed(await readConfig(path), dirname(resolve(path)))
  const {
    streams = {},
    dir,
    endpoints,
    schemas,
    searchAuth,
    functions,
    lambda,
    kinesis,
    kafka,
    auth,
    ...options
  } = readServed(config)
  checkKinesis(kinesis)
  // A config that says where things are in S3 means S3.
  const folder = dir ?? (path === undefined ? resolve(defaultDir) : undefined)
  const made = {
    dir: folder,
    endpoints,
    schemas,
    searchAuth: secretIn('searchAuth', searchAuth),
    functions,
    ...(lambda && { lambda }),
  }
  const make = async (name: string, stream: Readonly<Record<string, unknown>>, facts: DeliveryStreamOptions) => {
    return fromDeliveryStream(stream, { ...made, ...(await sourcesOf(name, stream, { kinesis, kafka })), ...facts })
  }
  const given: Record<string, Writable> = {}
  for (const [name, stream] of Object.entries(streams)) {
    if (!isObject(stream)) throw new UsageError(`streams.${name} must be an object, as CreateDeliveryStream takes it`)
    given[name] = await naming(`streams.${name}`, () => make(name, stream, { name }))
  }
  let failed = 0
  const server = directPut({
    ...options,
    port: options.port ?? defaultPort,
    auth: secretIn('auth', auth),
    streams: given,
    create: ({ config: members, ...stream }) => make(stream.name, members, stream),
    onStreamError: (name, error) => {
      failed += 1
      say(`the stream ${name} takes no more records: ${redact(error.message)}`)
    },
  })
  const url = await server.listening()
  say(`a Firehose at ${url}${folder === undefined ? '' : `, whose buckets are folders in ${folder}`}; Ctrl-C ends it`)

  return new Promise((end, reject) => {
    let timer: NodeJS.Timeout | undefined
    const stop = (error?: Error): void => {
      forget()
      clearTimeout(timer)
      reject(error ?? new UsageError('stopped: what was not delivered is lost'))
    }
    control.stopNow = stop
    const forget = onSignals({
      finish: (signal) => {
        const limit = durationText(grace)
        say(`${signal}: delivering what there is, for ${limit} at most; once more stops now`)
        timer = setTimeout(() => stop(new UsageError(`not everything could be delivered within ${limit}`)), grace)
        server.close().then(() => {
          forget()
          clearTimeout(timer)
          end(failed > 0 ? 1 : 0)
        }, stop)
      },
      stop: () => stop(),
    })
  })
}

function readServed(config: Config) {
  const { auth: _auth, ...shown }: Config = config
  readOptions<ServeConfig, typeof serveFields>('serve', passOn(config), serveFields)
  const read: ServeConfig = passOn({ ...shown, auth: config.auth })
  return read
}

/** Paths in a config are meant from the folder that it is in. */
function placed(config: Config, folder: string): Config {
  const paths: (readonly [string, unknown])[] = ['dir', 'stateFile'].flatMap((name) => {
    const value = config[name]
    return typeof value === 'string' ? [[name, resolve(folder, value)] as const] : []
  })
  const { functions, kinesis } = config
  if (isObject(kinesis) && typeof kinesis.checkpoints === 'string') {
    paths.push(['kinesis', { ...kinesis, checkpoints: resolve(folder, kinesis.checkpoints) }])
  }
  const placedOnes = isObject(functions) ? { functions: placedFunctions(functions, folder) } : {}
  return { ...config, ...Object.fromEntries(paths), ...placedOnes }
}

/** The same with its secrets read, where they name files. */
function secretIn<Value extends object>(name: string, value: Value | undefined): Value | undefined {
  if (value === undefined) return undefined
  return Object(Array.isArray(value) ? value.map((one) => secretOf(name, one)) : secretOf(name, value))
}

/** A mistake in one of several configurations says in which. */
async function naming<Made>(name: string, make: () => Promise<Made>): Promise<Made> {
  try {
    return await make()
  } catch (error) {
    throw new UsageError(`${name}: ${wordsOf(error)}`)
  }
}

function say(words: string): void {
  process.stderr.write(`hosepipe: ${words}\n`)
}
