/** Where records come from: files, compressed or not, and standard input. */
import { constants, existsSync, fstatSync, open as openFile, readFileSync, readSync } from 'node:fs'
import { access, open as openFileHandle, stat } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { promisify } from 'node:util'
import { decompressed } from '../decompress/decompress.ts'
import { formatOf } from '../decompress/format.ts'
import { type Source, source } from '../index.ts'
import { readOptions } from '../options.ts'
import { FileSource, type SourceOptions, sourceFields } from '../sources/file-source.ts'
import { expandPaths } from '../sources/paths.ts'
import { PipeSource } from '../sources/pipe-source.ts'
import { isStreamAddress, type StreamInput, streamInput } from './stream-inputs.ts'
import { UsageError, wordsOf } from './usage-error.ts'

/** One input: bytes, or a stream of records. */
export type Input = ByteInput | StreamInput

/** An input whose bytes are split. */
export interface ByteInput {
  /** What it is called in messages and positions: the path as it was given, or `stdin`. */
  readonly name: string
  /** Its bytes as they lie on the disk; `undefined` for a pipe or a device. */
  readonly size: number | undefined
  /**
   * Begins to read it.
   *
   * @param reuse - Whether memory may be read into again when its records have ended.
   * @throws UsageError when it cannot be opened.
   */
  open(reuse: boolean): Promise<OpenInput>
}

/** An input that is being read. */
export interface OpenInput {
  /** Its bytes, decompressed. */
  readonly chunks: AsyncIterable<Buffer>
  /** Bytes that were read so far, before they were decompressed. */
  bytesRead(): number
  /** Reads no more: `chunks` ends, with an error or without. */
  stop(): void
}

const stdinName = 'stdin'
/** So many bytes tell every compression. */
const longestMagic = 16

/**
 * Looks at all inputs before any is read.
 *
 * @param paths - `-` is standard input; none at all is the same. A folder stands for all files below it, and a pattern (`logs/*.gz`) for
 *   those that it matches, in the order of their names.
 *   The address of a stream (`kafka://…`, `kinesis://…`) stands alone: what comes behind a stream without an end would never be read.
 * @param keepGoing - Whether one that cannot be read fails when its turn comes, and not at once.
 * @throws UsageError for one that cannot be read.
 */
export async function listInputs(paths: readonly string[], keepGoing = false): Promise<Input[]> {
  const inputs: Input[] = []
  for (const path of paths.length === 0
    ? ['-']
    : await expandPaths(paths, (path) => path === '-' || isStreamAddress(path)))
    inputs.push(
      isStreamAddress(path)
        ? streamInput(path)
        : path === '-'
          ? standardInput()
          : await fileInput(path).catch((error) => failing(path, error, keepGoing)),
    )
  const stream = inputs.find((input) => 'begin' in input)
  if (stream !== undefined && inputs.length > 1) {
    throw new UsageError(`${stream.name} has no end, so nothing can be read beside it`)
  }
  if (inputs.filter(({ name }) => name === stdinName).length > 1) {
    throw new UsageError('standard input (-) can be read only once')
  }
  return inputs
}

function failing(path: string, error: unknown, keepGoing: boolean): Input {
  if (!keepGoing) throw error
  return {
    name: path,
    size: 0,
    open() {
      throw error
    },
  }
}

const openDescriptor = promisify(openFile)

async function fileInput(path: string): Promise<Input> {
  const found = await stat(path).catch((error: unknown) => {
    throw new UsageError(`${path}: ${wordsOf(error).replace(`${path}: `, '')}`, { cause: error })
  })
  return {
    name: path,
    size: found.isFile() ? found.size : undefined,
    async open(reuse) {
      const refused = (error: unknown): never => {
        throw new UsageError(`${path}: ${wordsOf(error).replace(`${path}: `, '')}`, { cause: error })
      }
      await access(path, constants.R_OK).catch(refused)
      // A read of an empty pipe would hold a thread of the pool, and the process at its end.
      if (found.isFIFO()) return counted(path, new PipeSource(await openDescriptor(path, 'r').catch(refused), reuse))
      // What is compressed is read for a decompressor, which gives no memory back.
      const isLent = reuse && found.isFile() && (await isPlain(path).catch(refused))
      return counted(path, source(path, { reuse: isLent }))
    },
  }
}

/** Whether a file's bytes are its records, and not compressed. */
async function isPlain(path: string): Promise<boolean> {
  const file = await openFileHandle(path)
  try {
    const head = Buffer.alloc(longestMagic)
    const { bytesRead } = await file.read(head, 0, head.length, 0)
    const found = formatOf(head.subarray(0, bytesRead), path)
    return 'format' in found && found.format === 'none'
  } finally {
    await file.close()
  }
}

function standardInput(): Input {
  const found = fstatSync(0)
  if (found.isDirectory()) throw new UsageError('standard input is a folder')
  return {
    name: stdinName,
    size: found.isFile() ? found.size : undefined,
    async open(reuse) {
      if (found.isFIFO() || found.isSocket()) return counted(stdinName, new PipeSource(0, reuse))
      if (!found.isFile()) return counted(stdinName, process.stdin)
      return counted(
        stdinName,
        new FileSource(0, {
          ...readOptions<SourceOptions, typeof sourceFields>('source', {}, sourceFields),
          reuse: reuse && isPlainFrom(0),
        }),
      )
    },
  }
}

/** Whether what stands behind the place of a descriptor is known not to be compressed. Only Linux tells the place without moving it. */
function isPlainFrom(descriptor: number): boolean {
  const facts = `/proc/self/fdinfo/${descriptor}`
  const [, place] = (existsSync(facts) && /^pos:\s*(\d+)$/m.exec(readFileSync(facts, 'utf8'))) || []
  if (place === undefined) return false
  const head = Buffer.alloc(longestMagic)
  const found = formatOf(head.subarray(0, readSync(descriptor, head, 0, head.length, Number(place))), stdinName)
  return 'format' in found && found.format === 'none'
}

/** A stream that is decompressed, and counts what it has read. */
function counted(name: string, stream: PipeSource | Socket | Source): OpenInput {
  return {
    chunks: decompressed(stream, { name, onTrailingBytes: (offset) => trailing(name, offset) }),
    bytesRead: () => stream.bytesRead,
    stop: () => void stream.destroy(),
  }
}

/** What was found before is delivered: this ends the input. */
function trailing(name: string, offset: number): never {
  throw new UsageError(`${name}: the compressed data ends at byte ${offset}; what stands behind it was left out`)
}
