import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { OptionError, toError } from '../../errors.ts'

/**
 * How far a shard is delivered: the sequence number of its last record, `'SHARD_END'` once all of it is, or, before the first of its records, `'@'` and the time in milliseconds from which it is read, or
 * `'TRIM_HORIZON'`. Leases of others may also say `'LATEST'`, or `'='` and the sequence number of a record of which a part may be left.
 */
export type ShardCheckpoint = string

/** Where a source keeps how far it is. */
export interface CheckpointStore {
  /** The checkpoints of a stream, by the ids of its shards. */
  load(stream: string): Promise<ReadonlyMap<string, ShardCheckpoint>>
  /** Keeps new ones. Called with one after the other. */
  save(stream: string, changed: ReadonlyMap<string, ShardCheckpoint>): Promise<void>
}

/** Everything of the shard is delivered. As the Kinesis Client Library has it. */
export const shardEnd = 'SHARD_END'

/** Checkpoints in memory: a source that starts anew with the same object goes on where the former was. */
export function memoryCheckpoints(): CheckpointStore {
  const streams = new Map<string, Map<string, ShardCheckpoint>>()
  const of = (stream: string): Map<string, ShardCheckpoint> => {
    const known = streams.get(stream) ?? new Map<string, ShardCheckpoint>()
    streams.set(stream, known)
    return known
  }
  return {
    load: async (stream) => new Map(of(stream)),
    save: async (stream, changed) => {
      for (const [shard, checkpoint] of changed) of(stream).set(shard, checkpoint)
    },
  }
}

/**
 * Checkpoints in a file, which one process at a time may have. It is written beside and moved into place, so that it is whole at any time.
 *
 * @param path - The file, which is made, with its folder, when there is none. It may hold the checkpoints of several streams.
 * @throws OptionError where the path is empty
 */
export function fileCheckpoints(path: string): CheckpointStore {
  if (typeof path !== 'string' || path === '') {
    throw new OptionError('fileCheckpoints', 'fileCheckpoints takes the path of a file')
  }
  let all: Record<string, Record<string, string>> | undefined
  const read = async (): Promise<Record<string, Record<string, string>>> => {
    if (all === undefined) await mkdir(dirname(path), { recursive: true })
    all ??= await readCheckpoints(path)
    return all
  }
  return {
    load: async (stream) => new Map(Object.entries((await read())[stream] ?? {})),
    save: async (stream, changed) => {
      const kept = await read()
      kept[stream] = { ...kept[stream], ...Object.fromEntries(changed) }
      await writeFile(`${path}.part`, `${JSON.stringify(kept, undefined, 2)}\n`, { flush: true })
      await rename(`${path}.part`, path)
    },
  }
}

async function readCheckpoints(path: string): Promise<Record<string, Record<string, string>>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw error
  }
  const words = `fileCheckpoints: ${path} is no file of checkpoints`
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new OptionError('fileCheckpoints', `${words}: ${toError(error).message}`)
  }
  if (!isNested(value)) throw new OptionError('fileCheckpoints', words)
  return value
}

function isNested(value: unknown): value is Record<string, Record<string, string>> {
  return (
    isObject(value) &&
    Object.values(value).every((one) => isObject(one) && Object.values(one).every((text) => typeof text === 'string'))
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
