import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { OptionError, toError } from '../../errors.ts'
import { isMembers, type Members } from './constraints.ts'
import type { DeliveryStream } from './delivery-stream.ts'

/** What is kept of a stream that was created. */
export interface SavedStream {
  readonly name: string
  readonly type: string
  readonly config: Members
  readonly createdAt: number
  readonly updatedAt: number | undefined
  readonly version: number
  readonly encryption: Members
  readonly tags: readonly (readonly [string, string | undefined])[]
}

/** A file that holds the streams that were created, so that they are there when the server starts again. */
export class SavedStreams {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  /** Those that were saved; none where there is no file yet. @throws OptionError where the file holds something else, or cannot be read */
  read(): readonly SavedStream[] {
    let text: string
    try {
      text = readFileSync(this.#path, 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
      throw wrong(this.#path, `cannot be read: ${toError(error).message}`)
    }
    const found = savedIn(text)
    if (found === undefined) throw wrong(this.#path, 'holds something else')
    return found
  }

  /** Writes all of them and some others, whole or not at all. Only its owner may read the file: configurations have secrets in them. */
  write(streams: readonly DeliveryStream[], others: readonly SavedStream[]): void {
    const saved = streams.flatMap((stream): SavedStream[] => {
      const { name, type, config, createdAt, updatedAt, version, encryption, tags, status } = stream
      if (config === undefined || status === 'DELETING') return []
      return [{ name, type, config, createdAt, updatedAt, version, encryption, tags: [...tags] }]
    })
    const temporary = `${this.#path}.${process.pid}.tmp`
    try {
      writeFileSync(temporary, `${JSON.stringify({ version: 1, streams: [...saved, ...others] }, undefined, 2)}\n`, {
        mode: 0o600,
      })
      renameSync(temporary, this.#path)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw error
    }
  }
}

function savedIn(text: string): readonly SavedStream[] | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const { version, streams }: Record<string, unknown> = Object(value)
  if (version !== 1 || !Array.isArray(streams)) return undefined
  const found = streams.map(savedStream)
  return found.some((one) => one === undefined) ? undefined : found.flatMap((one) => one ?? [])
}

function savedStream(value: unknown): SavedStream | undefined {
  if (!isMembers(value)) return undefined
  const { name, type, config, createdAt, updatedAt, version, encryption, tags } = value
  if (typeof name !== 'string' || typeof type !== 'string' || !isMembers(config) || !isMembers(encryption))
    return undefined
  if (typeof createdAt !== 'number' || typeof version !== 'number' || !Array.isArray(tags)) return undefined
  return {
    name,
    type,
    config,
    createdAt,
    updatedAt: typeof updatedAt === 'number' ? updatedAt : undefined,
    version,
    encryption,
    tags: tags.map((tag: unknown) => {
      const [key, text]: unknown[] = Array.isArray(tag) ? tag : []
      return [String(key), typeof text === 'string' ? text : undefined] as const
    }),
  }
}

function wrong(path: string, words: string): OptionError {
  return new OptionError(
    'directPut.stateFile',
    `directPut: stateFile must be a file that a server has written, or none yet, but ${path} ${words}`,
  )
}
