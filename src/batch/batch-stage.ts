import { OptionError } from '../errors.ts'
import { checkOptions, expecting, type Fields, milliseconds, whole } from '../options.ts'
import { Stage, type StageOptions, stageFields } from '../stage/stage.ts'
import { Batcher, type BatchLimits } from './batcher.ts'
import { compileKey, isKey, type Key } from './keys/key.ts'
import { hasOverhead } from './overhead.ts'

/** 1,048,576 bytes. */
export const MiB = 1024 * 1024

/** Options of {@link batch}. */
export interface BatchOptions extends StageOptions {
  /**
   * The most bytes of a batch: those that will be written, before compression, separators included (see `format`). A record that
   * alone is larger goes alone. Default 5 MiB, as the service has it (guide, "Buffering hints"); at least 1.
   */
  readonly maxBytes?: number | undefined
  /** The most records of a batch. Default: no limit but `maxBytes`; at least 1. */
  readonly maxRecords?: number | undefined
  /**
   * How old a batch may become, in milliseconds, from its first record on, also while nothing comes in. 0 closes a batch with
   * every chunk. Default 300,000, as the service has it.
   */
  readonly maxAge?: number | undefined
  /**
   * What tells the partition key of a record; records with different keys come into different batches. A `field(…)`, a template
   * (`'{customer}/{geo.country}'`), a function, or an object that names several of these. A record without a key fails. Default:
   * no key.
   */
  readonly key?: Key | undefined
  /**
   * The most bytes of memory for all open batches together; beyond it the oldest is closed. Up to three closed ones wait beside them
   * until the next stage takes them. Default 64 MiB or, if that is more, a quarter more than `maxBytes`; not less than `maxBytes`.
   */
  readonly maxOpenBytes?: number | undefined
  /** The most keys with an open batch; beyond it the oldest batch is closed. Default 500, as the service has it. */
  readonly maxOpenKeys?: number | undefined
  /** The format that the batch will be written in, for what it adds to the bytes: an encoder. Default: one byte a record, as `ndjson()`. */
  readonly format?: { readonly overhead: { readonly record: number; readonly batch: number } } | undefined
}

const fields: Fields<BatchOptions> = {
  ...stageFields,
  maxBytes: whole('bytes'),
  maxRecords: whole('records'),
  maxAge: milliseconds(0),
  key: expecting('a field(…), a template, a function or an object of these', isKey),
  maxOpenBytes: whole('bytes'),
  maxOpenKeys: whole('keys'),
  format: expecting('an encoder, such as ndjson()', hasOverhead),
}

const defaults = {
  maxBytes: 5 * MiB,
  maxRecords: Number.POSITIVE_INFINITY,
  maxAge: 300_000,
  maxOpenBytes: 64 * MiB,
  maxOpenKeys: 500,
} satisfies BatchLimits

const ndjsonOverhead = { record: 1, batch: 0 }

/** A stage that gathers, and can be told to hand on what it has. */
export interface BatchStage extends Stage {
  /** Closes all open batches now. Resolves when they were handed to the next stream. */
  flush(): Promise<void>
  /** How many batches are open now: one for each key that has records waiting. */
  openBatches(): number
}

/** Fills in the defaults of checked options. */
export function batchLimits(options: BatchOptions): BatchLimits {
  const maxBytes = options.maxBytes ?? defaults.maxBytes
  const maxOpenBytes = options.maxOpenBytes ?? Math.max(defaults.maxOpenBytes, Math.ceil(maxBytes * 1.25))
  if (maxOpenBytes < maxBytes) {
    const message = `batch: maxOpenBytes must be at least maxBytes, which is ${maxBytes}, but came as ${maxOpenBytes}`
    throw new OptionError('batch.maxOpenBytes', message)
  }
  return {
    maxBytes,
    maxOpenBytes,
    maxRecords: options.maxRecords ?? defaults.maxRecords,
    maxAge: options.maxAge ?? defaults.maxAge,
    maxOpenKeys: options.maxOpenKeys ?? defaults.maxOpenKeys,
  }
}

/**
 * Gathers records into batches by bytes, by number and by age, for each partition key: {@link Records} in, `Batch` out. Limits are
 * exact: they are checked before a record is added.
 *
 * @throws OptionError
 * @example
 * batch({ maxBytes: 5 * MiB, maxAge: 60_000, key: field('customer') })
 */
export function batch(options: BatchOptions = {}): BatchStage {
  checkOptions<BatchOptions>('batch', options, fields)
  const limits = batchLimits(options)
  const key = options.key === undefined ? undefined : compileKey(options.key)
  let batcher: Batcher | undefined
  // What is closed is not counted as open any more: the fewer batches wait behind the stage, the less memory no limit counts.
  const stage = new Stage({ name: 'batch', clock: options.clock, ready: 1 }, (outlet) => {
    const core = new Batcher({
      limits,
      key,
      clock: outlet.clock,
      overhead: options.format?.overhead ?? ndjsonOverhead,
      onBatch: (closed) => void outlet.push(closed),
      onFailed: (failed) => void outlet.push(failed),
    })
    batcher = core
    return {
      records: (records) => void core.add(records),
      failed: (failed) => void outlet.push(failed),
      flush: () => void core.flush('flush'),
      end: () => void core.flush('end'),
      destroy: () => core.destroy(),
    }
  })
  const flush = (): Promise<void> => stage.between(() => void batcher?.flush('flush'))
  return Object.assign(stage, { flush, openBatches: () => batcher?.openBatches ?? 0 })
}
