/** Where a followed file was read to, in a small file beside it. */
import { createHash } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { Clock } from '../clock.ts'
import { OptionError, toError } from '../errors.ts'

/** A file, which keeps its device and inode when it is renamed. */
export interface FileIdentity {
  readonly device: string
  readonly inode: string
}

/** A place in a file. */
export interface FilePosition extends FileIdentity {
  /** Bytes from the start. */
  readonly offset: number
  /** Tells the file's beginning from that of another one, which may have got the inode of one that was deleted. */
  readonly head: string
}

/** So many bytes at the beginning of a file are looked at. */
export const headBytes = 256

/** What {@link FilePosition.head} is of a file that begins so, at an offset in it. */
export function headOf(beginning: Buffer, offset: number): string {
  const known = beginning.subarray(0, Math.min(headBytes, offset))
  return createHash('sha256').update(known).digest('hex').slice(0, 16)
}

/** See the head of this file. Writes are small, few and whole: they wait for no turn of the event loop, so that nothing is lost at the end. */
export class PositionFile {
  readonly #path: string
  readonly #clock: Clock
  readonly #every: number
  #latest: FilePosition | undefined
  #writtenAt = Number.NEGATIVE_INFINITY
  #cancel: (() => void) | undefined
  #isEnded = false

  /** Takes what went wrong when a position was written. Records have ended then, and it is none of their mistakes. */
  onError: (error: Error) => void = warn

  /** @param every - Milliseconds between two writes at least. */
  constructor(path: string, every: number, clock: Clock) {
    this.#path = path
    this.#every = every
    this.#clock = clock
  }

  /**
   * What was written last; `undefined` where nothing was.
   *
   * @throws OptionError for a file that holds something else.
   */
  read(): FilePosition | undefined {
    let text: string
    try {
      text = readFileSync(this.#path, 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
    const position = parsed(text)
    if (position !== undefined) return position
    const words = `source: tail.position must be a file that a source has written, or none yet, but ${this.#path} holds something else`
    throw new OptionError('source.tail.position', words)
  }

  /** Keeps a position: at once, or with others a little later. */
  commit(position: FilePosition): void {
    this.#latest = position
    const wait = this.#writtenAt + this.#every - this.#clock.monotonic()
    if (wait <= 0 || this.#isEnded) this.#write()
    else this.#cancel ??= this.#clock.schedule(wait, () => this.#write())
  }

  /** From now on each position is written at once. The stream is over: it can end with no error any more. */
  end(): void {
    this.#isEnded = true
    this.onError = warn
    this.#write()
  }

  #write(): void {
    this.#cancel?.()
    this.#cancel = undefined
    if (this.#latest === undefined) return
    const text = `${JSON.stringify({ version: 1, ...this.#latest })}\n`
    this.#latest = undefined
    this.#writtenAt = this.#clock.monotonic()
    const temporary = `${this.#path}.${process.pid}.tmp`
    try {
      writeFileSync(temporary, text)
      renameSync(temporary, this.#path)
    } catch (error) {
      rmSync(temporary, { force: true })
      this.onError(toError(error))
    }
  }
}

function warn(error: Error): void {
  process.emitWarning(`source: the position could not be written: ${error.message}`, { code: 'Source.NoPosition' })
}

function parsed(text: string): FilePosition | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const { version, device, inode, offset, head }: Record<string, unknown> = Object(value)
  if (version !== 1 || typeof device !== 'string' || typeof inode !== 'string' || typeof head !== 'string')
    return undefined
  return Number.isSafeInteger(offset) ? { device, inode, offset: Number(offset), head } : undefined
}
