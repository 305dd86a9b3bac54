import { OptionError } from '../errors.ts'
import {
  described,
  duration,
  expecting,
  type Fields,
  filled,
  oneOf,
  option,
  readOptions,
  size,
  whole,
} from '../options.ts'
import { nextHose } from '../report.ts'
import { Stage, type StageOptions, stageFields } from '../stage/stage.ts'
import { nextSpan } from '../time/calendar.ts'
import { isTimeZone } from '../time/plain-pattern.ts'
import type { Duration, Size } from '../units.ts'
import { Batcher, type BatchLimits } from './batcher.ts'
import { isKey, type Key } from './keys/key.ts'
import { keyReader } from './keys/key-with-time.ts'
import { isTimestampFrom, type TimestampFrom } from './keys/record-time.ts'
import { hasOverhead } from './overhead.ts'

/** 1,048,576 bytes. */
export const MiB = 1024 * 1024

/** Options of {@link batch}. */
export interface BatchOptions extends StageOptions {
  /** What the stream is called in the messages of the diagnostics channels. Default: `hose-1` for the first stream, and so on. */
  readonly name?: string | undefined
  /**
   * The most bytes of a batch: those that will be written, before compression, separators included (see `format`). A record that
   * alone is larger goes alone. Default 5 MiB, as the service has it (guide, "Buffering hints"); at least 1.
   */
  readonly maxBytes?: Size | undefined
  /** The most records of a batch. Default: no limit but `maxBytes`; at least 1. */
  readonly maxRecords?: number | undefined
  /**
   * How old a batch may become, from its first record on, also while nothing comes in: `'60s'`, or a number of milliseconds. 0
   * closes a batch with every chunk. Default `'5m'`, as the service has it.
   */
  readonly maxAge?: Duration | undefined
  /**
   * What tells the partition key of a record; records with different keys come into different batches. A `field(…)`, a template
   * (`'{customer}/{geo.country}'`), a function, or an object that names several of these. A record without a key fails. Default:
   * no key.
   */
  readonly key?: Key | undefined
  /**
   * Where the time of a record stands: `field('at')`, a function, or {@link TimestampOptions}. A batch has the records of one hour then, or of
   * what its prefix tells apart, and `!{timestamp:…}` in prefixes is that hour, and not when the records arrived. A record without a time
   * fails. The hour is part of the batch's `key`, and of what `maxOpenKeys` counts. Default: no such time.
   */
  readonly timestampFrom?: TimestampFrom | undefined
  /**
   * Closes all batches where a minute, an hour or a day ends on the wall clock, so that objects end there, too; an object with the zone for the
   * borders of hours and days. Default: never; `maxAge` is counted besides.
   */
  readonly closeAt?: ClockUnit | ClockBorders | undefined
  /**
   * The most bytes of memory for all open batches together; beyond it the oldest is closed. Up to three closed ones wait beside them
   * until the next stage takes them. Default 64 MiB or, if that is more, a quarter more than `maxBytes`; not less than `maxBytes`.
   */
  readonly maxOpenBytes?: Size | undefined
  /** The most keys with an open batch; beyond it the oldest batch is closed. Default 500, as the service has it. */
  readonly maxOpenKeys?: number | undefined
  /**
   * What happens to a record with a new key while `maxOpenKeys` are open: `'close-oldest'` closes the oldest batch for it; `'backup'` fails it with the code
   * `DynamicPartitioning.ActivePartitionLimitExceeded`, as the service does (guide, "Dynamic partitioning error handling"). Default `'close-oldest'`.
   */
  readonly whenTooMany?: 'close-oldest' | 'backup' | undefined
  /** The format that the batch will be written in, for what it adds to the bytes: an encoder. Default: one byte a record, as `ndjson()`. */
  readonly format?: { readonly overhead: { readonly record: number; readonly batch: number } } | undefined
}

/** What ends on the clock, for `closeAt`. */
export type ClockUnit = 'minute' | 'hour' | 'day'

/** What ends on the clock of a zone. */
export interface ClockBorders {
  /** What ends. */
  readonly every: ClockUnit
  /** The zone, which matters for days, and for hours where its offset is not of whole hours. Default `'UTC'`. */
  readonly timeZone?: string | undefined
}

const clockUnits: readonly unknown[] = ['minute', 'hour', 'day'] satisfies ClockUnit[]

/** The table of the options of {@link batch}. */
export const batchFields = {
  ...stageFields,
  name: described(filled, 'What the stream is called in diagnostics. Default: hose-1.'),
  maxBytes: option(size(), { default: 5 * MiB, about: 'The most bytes of an object, before compression.' }),
  maxRecords: option(whole('records'), {
    default: Number.POSITIVE_INFINITY,
    about: 'The most records of an object. Default: no limit.',
  }),
  maxAge: option(duration(), { default: 300_000, about: 'How old a batch may become.' }),
  key: expecting('a field(…), a template, a function or an object of these', isKey),
  timestampFrom: expecting('a field(…), a function, or an object with one of these as from', isTimestampFrom),
  closeAt: {
    ...expecting("'minute', 'hour' or 'day', or an object with one of these as every, and a timeZone", isClosing, {
      anyOf: [
        { enum: clockUnits },
        {
          type: 'object',
          required: ['every'],
          additionalProperties: false,
          properties: { every: { enum: clockUnits }, timeZone: { type: 'string', minLength: 1 } },
        },
      ],
    }),
    about: 'Closes all objects where a minute, an hour or a day ends on the clock. Default: never.',
  },
  maxOpenBytes: described(
    size(),
    'Memory of all open batches together. Default 64MiB, or a quarter more than maxBytes.',
  ),
  maxOpenKeys: option(whole('keys'), { default: 500, about: 'The most keys with an open batch.' }),
  whenTooMany: option(oneOf('close-oldest', 'backup'), {
    default: 'close-oldest',
    about: 'What happens to a record with a new key while maxOpenKeys are open.',
  }),
  format: expecting('an encoder, such as ndjson()', hasOverhead),
} satisfies Fields<BatchOptions>

const leastOpenBytes = 64 * MiB
const ndjsonOverhead = { record: 1, batch: 0 }

/** A stage that gathers, and can be told to hand on what it has. */
export interface BatchStage extends Stage {
  /** Closes all open batches now. Resolves when they were handed to the next stream. */
  flush(): Promise<void>
  /** How many batches are open now: one for each key that has records waiting. */
  openBatches(): number
}

/** The bounds that are in force with some options. @throws OptionError */
export function batchLimits(options: BatchOptions): BatchLimits {
  const { maxBytes, maxRecords, maxAge, maxOpenKeys, whenTooMany, closeAt, ...others } = readOptions(
    'batch',
    options,
    batchFields,
  )
  const maxOpenBytes = others.maxOpenBytes ?? Math.max(leastOpenBytes, Math.ceil(maxBytes * 1.25))
  if (maxOpenBytes < maxBytes) {
    const message = `batch: maxOpenBytes must be at least maxBytes, which is ${maxBytes}, but came as ${maxOpenBytes}`
    throw new OptionError('batch.maxOpenBytes', message)
  }
  return {
    maxBytes,
    maxOpenBytes,
    maxRecords,
    maxAge,
    maxOpenKeys,
    whenTooMany,
    nextBorder: closeAt && nextBorder(closeAt),
  }
}

function nextBorder(closeAt: ClockUnit | ClockBorders): (instant: number) => number {
  const { every, timeZone = 'UTC' } = typeof closeAt === 'string' ? { every: closeAt } : closeAt
  return nextSpan(every, timeZone)
}

function isClosing(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return clockUnits.includes(value)
  const { every, timeZone = 'UTC', ...others }: Record<string, unknown> = { ...value }
  const isZone = typeof timeZone === 'string' && isTimeZone(timeZone)
  return clockUnits.includes(every) && isZone && Object.keys(others).length === 0
}

/** While such a batch waits the next one is not gathered. */
const largeBytes = 16 * 1024 * 1024

/**
 * Gathers records into batches by bytes, by number and by age, for each partition key: {@link Records} in, `Batch` out. Limits are
 * exact: they are checked before a record is added.
 *
 * @throws OptionError
 * @example
 * batch({ maxBytes: '5MiB', maxAge: '60s', key: field('customer') })
 */
export function batch(options: BatchOptions = {}): BatchStage {
  const limits = batchLimits(options)
  const { name: hose = nextHose() } = options
  const key = keyReader(options)
  let batcher: Batcher | undefined
  // A closed batch no longer counts as open. So only few may wait behind the stage, and none of the large ones: no limit counts their memory.
  const ready = key === undefined && limits.maxBytes >= largeBytes ? 0 : 1
  const stage = new Stage({ name: 'batch', clock: options.clock, ready }, (outlet) => {
    const core = new Batcher({
      hose,
      limits,
      key,
      clock: outlet.clock,
      overhead: options.format?.overhead ?? ndjsonOverhead,
      onBatch: (closed) => void outlet.push(closed),
      onFailed: (failed) => void outlet.push(failed),
      onMistake: outlet.fail,
    })
    batcher = core
    return {
      records: (records) => void core.add(records),
      failed: (failed) => void outlet.push(failed),
      flush: () => void core.flush('flush'),
      end: () => void core.end(),
      destroy: () => core.destroy(),
    }
  })
  const flush = (): Promise<void> => stage.between(() => void batcher?.flush('flush'))
  return Object.assign(stage, { flush, openBatches: () => batcher?.openBatches ?? 0 })
}
