import { size } from '../options.ts'
import { type Limiter, threadPool } from './thread-pool.ts'

/** The field of an option `pieceBytes`. Pieces smaller than this cost more to hand out than they gain, and compress worse. */
export const pieceBytesField = size(65_536)

/** A border between two parts is taken as the border of a piece when the piece is then off its size by at most a quarter. */
const tolerance = 0.25

/**
 * Cuts a body into pieces of about `pieceBytes`, all about equally long, at the borders of its parts where there is one near: a
 * piece of one part needs no copy. An empty body is one empty piece.
 */
export function cut(parts: readonly Buffer[], pieceBytes: number): readonly (readonly Buffer[])[] {
  const size = parts.reduce((sum, part) => sum + part.length, 0)
  const target = Math.ceil(size / Math.max(1, Math.round(size / pieceBytes)))
  const pieces: Buffer[][] = []
  let piece: Buffer[] = []
  let length = 0
  const close = (): void => {
    pieces.push(piece)
    piece = []
    length = 0
  }
  for (const part of parts) {
    let rest = part
    while (rest.length > 0) {
      const room = target - length
      if (rest.length <= room + target * tolerance) {
        piece.push(rest)
        length += rest.length
        if (length >= target) close()
        break
      }
      if (length < target * (1 - tolerance)) {
        piece.push(rest.subarray(0, room))
        rest = rest.subarray(room)
      }
      close()
    }
  }
  if (piece.length > 0 || pieces.length === 0) close()
  return pieces
}

/** A piece in one Buffer; a copy only where it is of several parts. */
export function joined([first, ...others]: readonly Buffer[]): Buffer {
  if (first === undefined) return Buffer.alloc(0)
  return others.length === 0 ? first : Buffer.concat([first, ...others])
}

/** Memory that pieces were put together in, for the next ones. Those under way are few. */
const spare: Buffer[] = []
const spareUnit = 262_144
/** Larger memory is not kept. */
const maxSpareBytes = 2_097_152

/**
 * Hands a piece on in one Buffer: where it is of several parts a copy, in memory that comes round again once the promise has settled. To make it anew
 * each time would leave as much garbage as is compressed.
 */
export async function inOneBuffer<Result>(
  piece: readonly Buffer[],
  use: (bytes: Buffer) => Promise<Result>,
): Promise<Result> {
  const [first = Buffer.alloc(0), ...others] = piece
  if (others.length === 0) return use(first)
  const size = piece.reduce((sum, part) => sum + part.length, 0)
  const memory = takeSpare(size)
  let at = 0
  for (const part of piece) {
    memory.set(part, at)
    at += part.length
  }
  try {
    return await use(memory.subarray(0, size))
  } finally {
    if (memory.length <= maxSpareBytes) spare.push(memory)
  }
}

/** One that is too small goes for the new one, so that there is never more than was needed at a time. */
function takeSpare(size: number): Buffer {
  const last = spare.pop()
  if (last !== undefined && last.length >= size) return last
  return Buffer.allocUnsafeSlow(Math.ceil(size / spareUnit) * spareUnit)
}

/**
 * Compresses the pieces of a body side by side, each on its own. A piece is put together only when it is its turn, so that the
 * copies never take more than the pieces under way.
 *
 * @param compressPiece - Compresses one piece into one or several parts.
 * @param pool - Where the pieces take turns.
 * @returns The compressed pieces in order. Rejects with the error of the first piece that failed, once no piece is under way; those
 *   that waited are not begun any more.
 */
export async function compressPieces<Piece>(
  pieces: readonly Piece[],
  compressPiece: (piece: Piece) => Promise<readonly Buffer[]>,
  pool: Limiter = threadPool,
): Promise<readonly Buffer[]> {
  const failures: unknown[] = []
  const turn = async (piece: Piece): Promise<readonly Buffer[]> => {
    if (failures.length > 0) return []
    try {
      return await compressPiece(piece)
    } catch (error) {
      failures.push(error)
      return []
    }
  }
  const compressed = await Promise.all(pieces.map((piece) => pool.run(() => turn(piece))))
  if (failures.length > 0) throw failures[0]
  return compressed.flat()
}
