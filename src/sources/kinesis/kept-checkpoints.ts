import type { Clock } from '../../clock.ts'
import { toError } from '../../errors.ts'
import { redact } from '../../redact.ts'
import type { CheckpointStore, ShardCheckpoint } from './checkpoints.ts'

/** What has failed is not tried again before. */
const leastPause = 1_000

/** The checkpoints of a stream: those that the store has, and those that are on their way to it, one save after the other. */
export class KeptCheckpoints {
  readonly #store: CheckpointStore
  readonly #stream: string
  readonly #commitEvery: number
  readonly #clock: Clock
  #all: Map<string, ShardCheckpoint> = new Map()
  /** What is to be kept with the next save. */
  #due = new Map<string, ShardCheckpoint>()
  #cancel: (() => void) | undefined
  #isOver = false
  #saving: Promise<void> = Promise.resolve()
  #lastError: Error | undefined

  constructor(store: CheckpointStore, stream: string, commitEvery: number, clock: Clock) {
    this.#store = store
    this.#stream = stream
    this.#commitEvery = commitEvery
    this.#clock = clock
  }

  /** How far all shards are, those on their way to the store included. */
  get all(): ReadonlyMap<string, ShardCheckpoint> {
    return this.#all
  }

  /** Whether a shard may be read: all are this process's. */
  holds(): boolean {
    return true
  }

  /** Takes what the store has. @returns Whether there was something */
  async load(): Promise<boolean> {
    this.#all = new Map(await this.#store.load(this.#stream))
    return this.#all.size > 0
  }

  /** A shard is further; it is kept with the next save. */
  set(shard: string, checkpoint: ShardCheckpoint): void {
    this.#all.set(shard, checkpoint)
    this.#due.set(shard, checkpoint)
    this.#saveIn(this.#commitEvery)
  }

  /** Keeps what is due now, and saves by itself no more. Rejects where it cannot be kept. */
  finish(): Promise<void> {
    this.#isOver = true
    this.#cancel?.()
    this.#cancel = undefined
    return this.#save()
  }

  #saveIn(delay: number): void {
    if (this.#isOver) return
    this.#cancel ??= this.#clock.schedule(delay, () => {
      this.#cancel = undefined
      this.#save().catch(() => undefined)
    })
  }

  /** Behind the save that is under way. What cannot be kept stays due, and the process is warned, once for an error. */
  #save(): Promise<void> {
    const saved = this.#saving.then(async () => {
      if (this.#due.size === 0) return
      const due = this.#due
      this.#due = new Map()
      try {
        await this.#store.save(this.#stream, due)
        this.#lastError = undefined
      } catch (thrown) {
        const error = toError(thrown)
        this.#due = new Map([...due, ...this.#due])
        if (this.#lastError?.message !== error.message) {
          process.emitWarning(`kinesis: checkpoints cannot be kept: ${redact(error.message)}`)
        }
        this.#lastError = error
        this.#saveIn(Math.max(this.#commitEvery, leastPause))
        throw error
      }
    })
    this.#saving = saved.catch(() => undefined)
    return saved
  }
}
