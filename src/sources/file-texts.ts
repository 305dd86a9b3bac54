import { access, constants, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { decompressed } from '../decompress/decompress.ts'
import { formatOf, isUndecided } from '../decompress/format.ts'
import { OptionError } from '../errors.ts'
import { expandPaths } from './paths.ts'
import type { SourceControl, SourceText, SourceTexts } from './record-source.ts'

/** What is needed to read files. */
export interface FileTextsShape {
  readonly paths: readonly string[]
  /** Whether what is compressed is decompressed. */
  readonly decompresses: boolean
  /** Opens a file. */
  open(path: string): Readable
}

/** Files one after another, each a text of its own. */
export class FileTexts implements SourceTexts {
  readonly #shape: FileTextsShape
  #files: readonly string[] = []

  constructor(shape: FileTextsShape) {
    this.#shape = shape
  }

  /** Looks for all of them, so that a missing one is told before the first is read. */
  async prepare(): Promise<void> {
    this.#files = await expandPaths(this.#shape.paths)
    for (const path of this.#files) {
      if ((await stat(path)).isDirectory()) throw new OptionError('source', `${path} is a folder`)
      await access(path, constants.R_OK)
    }
  }

  async *texts(control: SourceControl): AsyncGenerator<SourceText> {
    for (const name of this.#files) {
      let hasEnded = false
      const read = this.#read(name, control)
      async function* chunks(): AsyncGenerator<Buffer> {
        yield* read
        hasEnded = true
      }
      yield { name, base: 0, chunks: chunks(), isCutOff: () => !hasEnded }
    }
  }

  async *#read(name: string, { signal }: SourceControl): AsyncGenerator<Buffer> {
    const stream = this.#shape.open(name)
    const onAbort = (): void => void stream.destroy()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      yield* this.#shape.decompresses ? readable(stream, name) : stream
    } finally {
      signal.removeEventListener('abort', onAbort)
      stream.destroy()
    }
  }
}

/** What is not compressed goes as it comes, since its memory may come round again. */
async function* readable(stream: Readable, name: string): AsyncGenerator<Buffer> {
  const chunks: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]()
  const first = await chunks.next()
  if (first.done) return
  const isPlain = !isUndecided(first.value) && isNone(first.value, name)
  const all = (async function* () {
    yield first.value
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
  })()
  yield* isPlain ? all : decompressed(all, { name })
}

function isNone(head: Buffer, name: string): boolean {
  const found = formatOf(head, name)
  return 'format' in found && found.format === 'none'
}
