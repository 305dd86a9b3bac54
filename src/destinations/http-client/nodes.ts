/** Several servers that do the same: each request goes to the next one that is not known to be out of order. */
import type { Clock } from '../../clock.ts'
import { errorChain, propertyOf } from '../../retry/error-chain.ts'
import { type Answer, type Ask, HttpClient, type HttpClientOptions } from './http-client.ts'

/** How long one that failed is asked only where no other is left, in milliseconds. */
const restTime = 30_000

/** Failures before anything was sent: another node can be asked at once. */
const unreached: readonly unknown[] = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]

interface Node {
  readonly client: HttpClient
  /** Monotonic time until which it is left alone. */
  restsUntil: number
}

/** See the head of this file. */
export class Nodes {
  readonly #nodes: readonly Node[]
  readonly #clock: Clock
  #next = 0

  /** @param urls - The addresses; at least one. */
  constructor(urls: readonly (string | URL)[], options: HttpClientOptions, clock: Clock) {
    this.#nodes = urls.map((url) => ({ client: new HttpClient(url, options), restsUntil: 0 }))
    this.#clock = clock
  }

  /**
   * Asks a node, and those behind it where it cannot be reached.
   *
   * @throws What the last one that was asked has thrown.
   */
  async ask(ask: Ask | ((url: URL) => Promise<Ask>)): Promise<Answer> {
    let last: unknown
    for (const node of this.#inOrder()) {
      try {
        const answer = await node.client.ask(typeof ask === 'function' ? await ask(node.client.url) : ask)
        // What stands in front of a node says by these that there is none behind it.
        node.restsUntil = [502, 503, 504].includes(answer.status) ? this.#clock.monotonic() + restTime : 0
        return answer
      } catch (error) {
        last = error
        node.restsUntil = this.#clock.monotonic() + restTime
        if (!isUnreached(error)) throw error
      }
    }
    throw last
  }

  /** Closes the connections. */
  async close(): Promise<void> {
    await Promise.all(this.#nodes.map(({ client }) => client.close()))
  }

  /** The nodes from the next one on; those that rest come last, the one that has rested longest first. */
  #inOrder(): readonly Node[] {
    const first = this.#next
    this.#next = (first + 1) % this.#nodes.length
    const now = this.#clock.monotonic()
    const rest = ({ restsUntil }: Node): number => (restsUntil > now ? restsUntil : 0)
    return [...this.#nodes.slice(first), ...this.#nodes.slice(0, first)].sort((a, b) => rest(a) - rest(b))
  }
}

function isUnreached(error: unknown): boolean {
  return [...errorChain(error)].some((link) => unreached.includes(propertyOf(link, 'code')))
}
