/**
 * Loads what is in S3, one COPY at a time. What comes while one runs is loaded by the next, whatever it is:
 *
 *     stored ──▶ waiting ──▶ manifest ──▶ COPY ──▶ committed
 *                               ▲           │ again, for `retryFor`
 *                               └───────────┤
 *                                           └──▶ errors/manifests/…: backed up
 */
import type { Clock } from '../../clock.ts'
import { toError } from '../../errors.ts'
import { Backoff } from '../../retry/backoff.ts'
import { RetryBudget } from '../../retry/budget.ts'
import { isRetryable } from '../../retry/retryable.ts'
import { wait } from '../../retry/wait.ts'
import type { ManifestStore, PlacedManifest } from './manifest-store.ts'
import type { StatementRunner } from './statement-runner.ts'
import type { Load } from './statements.ts'

/** What a {@link Loader} is made of. */
export interface LoaderShape {
  readonly runner: StatementRunner
  readonly manifests: ManifestStore
  /** The statements that load a manifest. */
  loadOf(manifest: string, id: string): Load
  /** How long a load is tried, in milliseconds. */
  readonly retryFor: number
  readonly clock: Clock
}

/** Is told that a load will be tried again. */
export type Retrying = (delay: number, error: Error) => void

/** An object that waits for its load. */
interface Waiting {
  readonly url: string
  readonly retrying: Retrying
  /** The load has ended: with an error where its manifest went to the errors. */
  resolve(error: Error | undefined): void
  /** It is not known whether it has. */
  reject(error: Error): void
}

const minDelay = 1_000
const maxDelay = 60_000

/** See the head of this file. */
export class Loader {
  readonly #shape: LoaderShape
  readonly #backoff: Backoff
  #stop = new AbortController()
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined

  constructor(shape: LoaderShape) {
    this.#shape = shape
    const { retryFor, clock } = shape
    const tools = { budget: new RetryBudget(), clock, random: Math.random }
    this.#backoff = new Backoff({ retryFor, minDelay, maxDelay }, tools)
  }

  /**
   * Loads an object. Resolves when that is committed, or to why not, when its manifest is among the errors.
   *
   * @param signal - Ends the waiting; what is in a manifest already is loaded all the same, unless {@link close} is called.
   */
  load(url: string, signal: AbortSignal, retrying: Retrying): Promise<Error | undefined> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const end = (): void => signal.removeEventListener('abort', onAbort)
      const waiting: Waiting = {
        url,
        retrying,
        resolve: (error) => {
          end()
          resolve(error)
        },
        reject: (error) => {
          end()
          reject(error)
        },
      }
      const onAbort = (): void => {
        this.#waiting = this.#waiting.filter((one) => one !== waiting)
        waiting.reject(toError(signal.reason))
      }
      signal.addEventListener('abort', onAbort)
      this.#waiting.push(waiting)
      this.#running ??= this.#run()
    })
  }

  /** Cancels what runs, and waits for its end. Afterwards loads can be begun again. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('redshift: the destination was closed'))
    await this.#running
    this.#stop = new AbortController()
  }

  async #run(): Promise<void> {
    // What is stored in the same moment is loaded together.
    await new Promise(setImmediate)
    while (this.#waiting.length > 0) {
      const some = this.#waiting
      this.#waiting = []
      try {
        const manifest = this.#shape.manifests.of(some.map(({ url }) => url))
        // The statement is one for all of them.
        const error = await this.loadManifest(manifest, (delay, why) => some[0]?.retrying(delay, why))
        for (const one of some) one.resolve(error)
      } catch (error) {
        for (const one of some) one.reject(toError(error))
      }
    }
    this.#running = undefined
  }

  /** Loads what a manifest names, at once. Resolves when that is committed, or to why not, when the manifest is among the errors. */
  async loadManifest(manifest: PlacedManifest, retrying: Retrying): Promise<Error | undefined> {
    const { runner, manifests, loadOf } = this.#shape
    const { signal } = this.#stop
    const attempts = this.#backoff.begin()
    const load = loadOf(manifest.url, manifest.id)
    for (let isPut = false; ; ) {
      let error: Error
      try {
        signal.throwIfAborted()
        if (!isPut) await manifests.put(manifest.key, manifest.body, signal)
        isPut = true
        await runner.load(load, signal)
        attempts.succeeded()
        return undefined
      } catch (thrown) {
        error = toError(thrown)
      }
      if (signal.aborted) throw error
      const delay = isRetryable(error) ? attempts.next([error]) : undefined
      if (delay === undefined) return this.#giveUp(manifest, error)
      retrying(delay, error)
      await wait(delay, this.#shape.clock, signal)
    }
  }

  /** The manifest has to be kept somewhere: without it nobody would know what was not loaded. */
  async #giveUp(manifest: PlacedManifest, error: Error): Promise<Error> {
    const { manifests, clock } = this.#shape
    const { signal } = this.#stop
    const tools = { budget: new RetryBudget(), clock, random: Math.random }
    const attempts = new Backoff({ minDelay, maxDelay }, tools).begin()
    for (;;) {
      try {
        await manifests.put(manifest.errorKey, manifest.body, signal)
        return error
      } catch (thrown) {
        const delay = signal.aborted || !isRetryable(thrown) ? undefined : attempts.next([toError(thrown)])
        if (delay === undefined) throw thrown
        await wait(delay, clock, signal)
      }
    }
  }
}
