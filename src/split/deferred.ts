import type { Work } from '../stage/door.ts'
import type { SplitterState } from './splitter.ts'

/** A splitter that is loaded when the first bytes come, or the end. It must not need to be told of its stream's destruction. */
export class Deferred implements SplitterState {
  readonly #load: () => Promise<SplitterState>
  #state: SplitterState | undefined

  constructor(load: () => Promise<SplitterState>) {
    this.#load = load
  }

  write(chunk: Buffer): Work {
    return this.#state === undefined ? this.#loaded().then((state) => state.write(chunk)) : this.#state.write(chunk)
  }

  end(): Work {
    return this.#state === undefined ? this.#loaded().then((state) => state.end()) : this.#state.end()
  }

  async #loaded(): Promise<SplitterState> {
    this.#state = await this.#load()
    return this.#state
  }
}
