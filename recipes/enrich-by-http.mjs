// Enrichment by HTTP: sixteen lookups at a time, each tried again where that may help, and the order kept.
import { HttpError, json, transform } from 'hosepipe'

/** @param {string} url Has the users below it: `http://127.0.0.1:8080/users`. */
export function withUser(url) {
  const look = json(async (event, { signal }) => {
    const response = await fetch(`${url}/${encodeURIComponent(event.user)}`, { signal })
    // Somebody whom nobody knows is no failure; 429 and 503 are tried again, when `Retry-After` says.
    if (response.status === 404) return event
    if (!response.ok) throw new HttpError(response)
    return { ...event, user: await response.json() }
  })
  return transform(look, { concurrency: 16, timeout: '5s', retry: { retryFor: '1m', minDelay: '100ms' } })
}
