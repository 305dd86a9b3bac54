/**
 * Follows a file that grows, is rotated or cut short.
 *
 *     app.log.2   read before            a file is known by its device and inode, whatever it is called
 *     app.log.1   ─────┃ position ────▶  read to its end first
 *     app.log     ─────────────────────▶ and then followed; when the path is another file's, that one
 */
import { access, constants, type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Clock } from '../clock.ts'
import { formatOf } from '../decompress/format.ts'
import { HosepipeError, OptionError } from '../errors.ts'
import { Checkpoints } from '../receipts/checkpoints.ts'
import { type FileIdentity, type FilePosition, headBytes, headOf, PositionFile } from './position-file.ts'
import type { SourceControl, SourceText, SourceTexts } from './record-source.ts'

/** What is needed to follow a file. */
export interface TailShape {
  readonly path: string
  readonly readBytes: number
  /** Where positions are kept; `undefined` for nowhere. */
  readonly position: string | undefined
  /** Where to begin where no position is kept. */
  readonly from: 'start' | 'end'
  /** Milliseconds between two looks at a file that has not grown. */
  readonly pollEvery: number
  /** Milliseconds between two writes of the position at least. */
  readonly commitEvery: number
  readonly clock: Clock
}

/** A file that is being read. */
interface Open extends FileIdentity {
  readonly handle: FileHandle
  /** Where to begin. */
  readonly offset: number
  /** Whether the path may become another file's, and this one may grow. */
  readonly isLive: boolean
}

/** See the head of this file. */
export class Tail implements SourceTexts {
  readonly #shape: TailShape
  readonly #store: PositionFile | undefined
  readonly #checkpoints: Checkpoints<FilePosition>
  #resume: FilePosition | undefined

  constructor(shape: TailShape) {
    this.#shape = shape
    const { position, commitEvery, clock } = shape
    this.#store = position === undefined ? undefined : new PositionFile(position, commitEvery, clock)
    this.#checkpoints = new Checkpoints((committed) => this.#store?.commit(committed))
  }

  async prepare(): Promise<void> {
    const { path } = this.#shape
    this.#resume = this.#store?.read()
    if (this.#shape.position !== undefined) await access(dirname(this.#shape.position), constants.W_OK)
    const found = await stat(path).catch(absent)
    if (found?.isDirectory()) throw new OptionError('source', `${path} is a folder: tail follows a file`)
  }

  async *texts(control: SourceControl): AsyncGenerator<SourceText> {
    if (this.#store !== undefined) this.#store.onError = control.fail
    yield* this.#rotated(control)
    // Only the first file is begun elsewhere than at its start.
    let startOf: (file: Open) => Promise<number> | number = (file) => this.#start(file)
    while (!isOver(control)) {
      const handle = await this.#opened(control)
      if (handle === undefined) return
      try {
        const { dev, ino, size } = await handle.stat({ bigint: true })
        const file = { handle, device: String(dev), inode: String(ino), offset: Number(size), isLive: true }
        let text = this.#text({ ...file, offset: await startOf(file) }, control)
        yield text
        startOf = () => 0
        // What stands in a file that was cut short is another text.
        while (text.wasCutShort()) {
          text = this.#text({ ...file, offset: 0 }, control)
          yield text
        }
      } finally {
        await handle.close()
      }
    }
  }

  ended(): void {
    this.#store?.end()
  }

  /** Where to begin in the file that the path is now; its offset is its size. */
  async #start(file: Open): Promise<number> {
    const resume = this.#resume
    if (resume === undefined) return this.#shape.from === 'end' ? file.offset : 0
    const isKnown = isSame(file, resume) && resume.offset <= file.offset && (await hasHead(file.handle, resume))
    return isKnown ? resume.offset : 0
  }

  /** The rest of the file that the position is in, if it is called otherwise now, and those that came between. */
  async *#rotated(control: SourceControl): AsyncGenerator<SourceText> {
    const { path } = this.#shape
    const resume = this.#resume
    if (resume === undefined) return
    const files = await neighbours(path)
    const last = files.find((file) => isSame(file, resume))
    const isThere = last !== undefined && (await isBegunSo(last.path, resume))
    // What was cut short begins otherwise, too; in either case the file that is there now is read from its start.
    if (last?.path === path && (isThere || (await stat(path)).size < resume.offset)) return
    if (last === undefined || !isThere) {
      process.emitWarning(
        `source: the file in which ${path} was read up to byte ${resume.offset} is gone; what was behind that in it is not read`,
        { code: 'Source.Gone' },
      )
      return
    }
    const between = files.filter((file) => file.path !== path && file !== last && file.changed >= last.changed)
    for (const file of [last, ...between.filter(({ path: other }) => isRotated(path, other))]) {
      const handle = await open(file.path, 'r')
      try {
        yield this.#text({ ...file, handle, isLive: false, offset: file === last ? resume.offset : 0 }, control)
      } finally {
        await handle.close()
      }
    }
  }

  #text(file: Open, control: SourceControl): SourceText & { wasCutShort(): boolean } {
    const { path, readBytes } = this.#shape
    const { handle, isLive, device, inode } = file
    const { pollEvery, clock } = this.#shape
    const state = { hasEnded: false, wasCutShort: false }
    let beginning: Buffer = Buffer.alloc(0)
    async function* chunks(): AsyncGenerator<Buffer> {
      let { offset } = file
      let hasMoved = false
      while (!isOver(control)) {
        const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(readBytes), 0, readBytes, offset)
        if (bytesRead > 0) {
          const chunk = buffer.subarray(0, bytesRead)
          if (offset === 0) refuseCompressed(path, chunk)
          offset += bytesRead
          hasMoved = false
          if (beginning.length < headBytes) beginning = await beginningOf(handle)
          // What stays in memory must not be much more than what was read.
          yield bytesRead < readBytes / 2 ? Buffer.from(chunk) : chunk
          continue
        }
        state.wasCutShort = isLive && (await handle.stat()).size < offset
        state.hasEnded = !isLive || hasMoved || state.wasCutShort
        if (state.hasEnded) return
        // Whoever writes may go on for a little while after the file was moved.
        hasMoved = await isOther(path, file)
        await pause(pollEvery, clock, control)
      }
    }
    return {
      name: path,
      base: file.offset,
      chunks: chunks(),
      isCutOff: () => !state.hasEnded,
      wasCutShort: () => state.wasCutShort,
      onOpen: (to) => this.#checkpoints.open({ device, inode, offset: to, head: headOf(beginning, to) }),
    }
  }

  /** Waits until there is such a file. */
  async #opened(control: SourceControl): Promise<FileHandle | undefined> {
    const { path, pollEvery, clock } = this.#shape
    for (;;) {
      const handle = await open(path, 'r').catch(absent)
      if (handle !== undefined) return handle
      await pause(pollEvery, clock, control)
      if (isOver(control)) return undefined
    }
  }
}

const isOver = ({ signal, stopping }: SourceControl): boolean => signal.aborted || stopping.aborted

async function beginningOf(handle: FileHandle): Promise<Buffer> {
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0)
  return buffer.subarray(0, bytesRead)
}

async function isBegunSo(path: string, position: FilePosition): Promise<boolean> {
  const handle = await open(path, 'r')
  try {
    return await hasHead(handle, position)
  } finally {
    await handle.close()
  }
}

async function hasHead(handle: FileHandle, { offset, head }: FilePosition): Promise<boolean> {
  return headOf(await beginningOf(handle), offset) === head
}

const isSame = (a: FileIdentity, b: FileIdentity): boolean => a.device === b.device && a.inode === b.inode

/** Whether a path is another file's now; not where there is none for the moment. */
async function isOther(path: string, file: FileIdentity): Promise<boolean> {
  const now = await stat(path, { bigint: true }).catch(absent)
  return now !== undefined && !isSame(file, { device: String(now.dev), inode: String(now.ino) })
}

/** The files in the folder of a path, by when they were changed last. */
async function neighbours(path: string) {
  const folder = dirname(path)
  const files: { path: string; device: string; inode: string; changed: bigint }[] = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isFile()) continue
    const other = join(folder, entry.name)
    const found = await stat(other, { bigint: true }).catch(absent)
    if (found === undefined) continue
    const isPath = entry.name === basename(path)
    const { dev, ino, mtimeNs } = found
    files.push({ path: isPath ? path : other, device: String(dev), inode: String(ino), changed: mtimeNs })
  }
  return files.sort((a, b) => (a.changed < b.changed ? -1 : 1))
}

/** Whether a file is called as those are that were rotated: `app.log.1`, `app.log-20240129`. Compressed ones have been read before. */
function isRotated(path: string, other: string): boolean {
  const [name, rotated] = [basename(path), basename(other)]
  return (
    rotated.startsWith(name) &&
    /^[.-]\d[\w.-]*$/.test(rotated.slice(name.length)) &&
    !/\.(?:gz|zst|bz2|xz)$/.test(rotated)
  )
}

function refuseCompressed(path: string, head: Buffer): void {
  const found = formatOf(head, path)
  if ('format' in found && found.format === 'none') return
  throw new HosepipeError('Decompress.Unsupported', `${path} is compressed: such a file cannot be followed`)
}

function absent(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}

/** Waits for some time, or until it is over. */
function pause(milliseconds: number, clock: Clock, { signal, stopping }: SourceControl): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel()
      signal.removeEventListener('abort', done)
      stopping.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.schedule(milliseconds, done)
    signal.addEventListener('abort', done)
    stopping.addEventListener('abort', done)
    if (signal.aborted || stopping.aborted) done()
  })
}
