import { HosepipeError, toError } from '../errors.ts'
import { checkOptions, type Fields, oneOf } from '../options.ts'
import type { FailedRecords } from '../records/failed-records.ts'
import type { Records } from '../records/records.ts'
import { withBytes } from '../records/with-bytes.ts'
import { redact } from '../redact.ts'
import type { Work } from '../stage/door.ts'
import { type Outlet, Stage, type StageOptions, stageFields } from '../stage/stage.ts'
import { Batch } from './batch.ts'

/** Options of {@link unbatch}. */
export interface UnbatchOptions extends StageOptions {
  /** What a chunk is: the record's bytes, its text, or its parsed value. Default `'bytes'`. */
  readonly as?: 'bytes' | 'text' | 'json' | undefined
}

const fields: Fields<UnbatchOptions> = { ...stageFields, as: oneOf('bytes', 'text', 'json') }

/** Single records that may wait behind the stage, as in other object-mode streams. */
const ready = 16

/**
 * The way back to other people's streams: one record a chunk. A record counts as delivered when it is in the stream's buffer for
 * the next one, which holds 16; what becomes of it there is not known here. A record that failed before, or is not JSON where
 * `as: 'json'` asks for it, ends the stream with an error, since no backup follows. The JSON value `null` cannot be a chunk of a
 * Node stream and ends it too.
 *
 * @throws OptionError
 * @example
 * pipeline(input, split(lines()), transform(fn), unbatch(), createGzip(), output)
 */
export function unbatch(options: UnbatchOptions = {}): Stage {
  checkOptions<UnbatchOptions>('unbatch', options, fields)
  const as = options.as ?? 'bytes'
  return new Stage({ name: 'unbatch', clock: options.clock, ready, isEnd: true }, (outlet) => {
    const records = (run: Records): Work => {
      if (as === 'json') return pushAll(run, as, outlet)
      const { good, failed } = withBytes(run, outlet.clock)
      return failed === undefined ? pushAll(good, as, outlet) : refuse(failed)
    }
    return {
      records,
      failed: refuse,
      other: {
        understands: (chunk) => chunk instanceof Batch,
        take: async (chunk) => {
          if (chunk instanceof Batch) for (const run of chunk.runs) await records(run)
        },
      },
    }
  })
}

async function pushAll(run: Records, as: 'bytes' | 'text' | 'json', outlet: Outlet): Promise<void> {
  for (let i = 0; i < run.length; i += 1) {
    if (!outlet.push(one(run, i, as))) await outlet.room()
  }
  run.receipt.settle('delivered', run.length)
}

function one(run: Records, i: number, as: 'bytes' | 'text' | 'json'): unknown {
  if (as === 'bytes') return run.at(i)
  if (as === 'text') return run.text(i)
  let value: unknown
  try {
    value = run.json(i)
  } catch (error) {
    throw new HosepipeError('Transform.NotJson', `unbatch: a record is not JSON: ${toError(error).message}`, {
      cause: error,
    })
  }
  if (value !== null) return value
  throw new HosepipeError('Input.Unsupported', 'unbatch: the JSON value null cannot be a chunk of a stream')
}

function refuse(failed: FailedRecords): never {
  const { code, message, error } = failed.reason(0)
  const cause = error === undefined ? undefined : { cause: error }
  throw new HosepipeError(
    'Backup.None',
    `unbatch: a record failed and there is no backup behind: ${code}: ${redact(message)}`,
    cause,
  )
}
