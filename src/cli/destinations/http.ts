/** Destinations that are asked by HTTP, as the command line names them: an address, and options of a config. */
import { describe } from '../../errors.ts'
import { field } from '../../index.ts'
import { type Config, isObject } from '../config.ts'
import { passOn, timestampOf } from '../forms.ts'
import { UsageError } from '../usage-error.ts'
import type { Address } from './address.ts'
import type { Opened } from './opened.ts'
import { secretIn, secretOf } from './secrets.ts'

/** Any HTTP server. */
export async function openWebhook(address: Address, options: Config): Promise<Opened> {
  const { webhook } = await import('../../destinations/http/index.ts')
  const authorization = secretIn('HOSEPIPE_HTTP_AUTHORIZATION')
  const { headers, ...others } = options
  // A function of a config says all there is to say.
  const given =
    authorization === undefined || typeof headers === 'function'
      ? headers
      : { authorization, ...Object(secretOf('headers', headers)) }
  const made = webhook({
    ...passOn({ ...others, ...(given !== undefined && { headers: given }) }),
    url: urlOf(address),
  })
  return { destination: made }
}

/** A receiver of the service's delivery protocol. */
export async function openEndpoint(address: Address, options: Config): Promise<Opened> {
  const { httpEndpoint } = await import('../../destinations/http/index.ts')
  const { accessKey = secretIn('HOSEPIPE_HTTP_ACCESS_KEY'), ...others } = options
  const key = accessKey === undefined ? {} : { accessKey: secretOf('accessKey', accessKey) }
  return { destination: httpEndpoint({ ...passOn({ ...others, ...key }), url: urlOf(address) }) }
}

/** A collector of Splunk. */
export async function openSplunk(address: Address, options: Config): Promise<Opened> {
  const { splunk } = await import('../../destinations/splunk/index.ts')
  const { token = secretIn('HOSEPIPE_SPLUNK_TOKEN'), time, fields, ...others } = options
  if (token === undefined) throw new UsageError('splunk: the token comes from HOSEPIPE_SPLUNK_TOKEN, or from a config')
  const made = splunk({
    ...passOn({
      ...fieldsIn(others),
      ...(time !== undefined && { time: timestampOf(time) }),
      ...(fields !== undefined && { fields: isObject(fields) ? fieldsIn(fields) : fields }),
    }),
    token: textOrFunction('token', secretOf('token', token)),
    url: urlOf(address),
  })
  return { destination: made }
}

/** A cluster of OpenSearch or Elasticsearch; the last part of the path is the index. */
export async function openOpenSearch(address: Address, options: Config): Promise<Opened> {
  const { openSearch } = await import('../../destinations/opensearch/index.ts')
  const [, base = '', last = ''] = /^(.*?:\/\/[^/]+(?:\/.*)?)\/([^/]*)$/s.exec(urlOf(address)) ?? []
  const { auth = authIn(), index = last, ...others } = options
  if (index === '') {
    throw new UsageError('opensearch: the address ends in an index, as in opensearch+https://host:9200/logs')
  }
  const said = auth === undefined ? {} : { auth: secretOf('auth', auth) }
  const made = openSearch({
    ...passOn({ node: base === '' ? urlOf(address) : base, ...fieldsIn(others), ...said }),
    index: textOrFunction('index', index),
  })
  return { destination: made }
}

/** Who asks a cluster, by the environment. */
function authIn(): object | undefined {
  const apiKey = secretIn('HOSEPIPE_OPENSEARCH_API_KEY')
  if (apiKey !== undefined) return { apiKey }
  const bearer = secretIn('HOSEPIPE_OPENSEARCH_BEARER')
  if (bearer !== undefined) return { bearer }
  const username = secretIn('HOSEPIPE_OPENSEARCH_USERNAME')
  return username === undefined ? undefined : { username, password: secretIn('HOSEPIPE_OPENSEARCH_PASSWORD') ?? '' }
}

/** A config in JavaScript may have functions. */
function textOrFunction(name: string, value: unknown): string | ((...given: unknown[]) => string) {
  if (typeof value === 'function') return (...given) => value(...given)
  if (typeof value === 'string') return value
  throw new UsageError(`${name} must be text, but came as ${describe(value)}`)
}

/** The address without what says how it is spoken to. */
function urlOf({ scheme, rest }: Address): string {
  return scheme.replace(/^[a-z]+\+/, '') + rest
}

/** Options in which `{ "field": "path" }` stands for a field of the record. */
function fieldsIn(options: Config): Config {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => {
      const isField = isObject(value) && typeof value.field === 'string' && Object.keys(value).length === 1
      return [name, isField ? field(String(value.field)) : value]
    }),
  )
}
