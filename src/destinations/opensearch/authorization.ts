/** Who asks: user and password, an API key, a token that may expire, or a signature of AWS. */
import { object } from '../../options.ts'
import { checkedHeaders } from '../http-client/http-client.ts'
import { type SigV4Options, signer } from './sigv4.ts'
import type { Authorize } from './unsigned.ts'

/** How requests to a cluster are authorized. */
export type SearchAuth =
  | { readonly username: string; readonly password: string }
  | { readonly apiKey: string }
  | { readonly bearer: string | (() => string | Promise<string>) }
  | { readonly sigV4: SigV4Options }

/** What may stand in {@link SearchAuth}, for messages. */
export const authForms = '{ username, password }, { apiKey }, { bearer } or { sigV4: { region } }'

/** Whether something has the form of {@link SearchAuth}. */
export function isAuth(value: unknown): value is SearchAuth {
  if (!object.accepts(value) || Array.isArray(value)) return false
  const { username, password, apiKey, bearer, sigV4, ...others }: Record<string, unknown> = Object(value)
  if (Object.keys(others).length > 0) return false
  const ways = [username ?? password, apiKey, bearer, sigV4].filter((one) => one !== undefined)
  const isOne = ways.length === 1
  if (username !== undefined || password !== undefined) return isOne && isText(username) && isText(password)
  if (apiKey !== undefined) return isOne && isText(apiKey)
  if (bearer !== undefined) return isOne && (isText(bearer) || typeof bearer === 'function')
  return isOne && object.accepts(sigV4) && isText(Object(sigV4).region)
}

/** @throws OptionError for text that no header field can have. */
export function authorizing(auth: SearchAuth | undefined): Authorize {
  if (auth === undefined) return async ({ headers }) => headers
  if ('sigV4' in auth) return signer(auth.sigV4)
  if ('bearer' in auth && typeof auth.bearer === 'function') {
    const { bearer } = auth
    return async ({ headers }) => ({ ...headers, ...field(`Bearer ${await bearer()}`) })
  }
  const fixed = field(fixedValue(auth))
  return async ({ headers }) => ({ ...headers, ...fixed })
}

function fixedValue(auth: Exclude<SearchAuth, { readonly sigV4: SigV4Options }>): string {
  if ('apiKey' in auth) return `ApiKey ${auth.apiKey}`
  if ('bearer' in auth) return `Bearer ${auth.bearer}`
  // RFC 7617, section 2.
  return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`
}

function field(authorization: string): Record<string, string> {
  return checkedHeaders('openSearch.auth', { authorization })
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}
