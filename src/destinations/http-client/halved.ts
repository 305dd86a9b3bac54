import type { Refusal, Request, SendResult } from '../../deliver/destination.ts'
import { toError } from '../../errors.ts'
import { isRetryable } from '../../retry/retryable.ts'

/**
 * Sends a request, and in halves what is too large for the server, down to the single record, which is refused then.
 *
 *     413 ─▶ [ a b c d ] ─▶ [ a b ] ✓   [ c d ] 413 ─▶ [ c ] ✓   [ d ] 413: refused
 *
 * @param attempt - Sends a request whole; rejects when the server has taken nothing of it.
 * @param isTooLarge - Whether fewer records may be taken after such an error.
 * @throws What `attempt` has rejected with, where that was for the whole.
 */
export async function sendHalved(
  request: Request,
  attempt: (request: Request) => Promise<void>,
  isTooLarge: (error: unknown) => boolean,
): Promise<SendResult> {
  const refused: Refusal[] = []
  const send = async (part: Request, first: number): Promise<void> => {
    try {
      await attempt(part)
    } catch (thrown) {
      if (part.length > 1 && isTooLarge(thrown)) {
        const middle = Math.ceil(part.length / 2)
        await send(await part.select(numbers(0, middle)), first)
        await send(await part.select(numbers(middle, part.length)), first + middle)
        return
      }
      if (part === request) throw thrown
      const error = toError(thrown)
      const retryable = !isTooLarge(thrown) && isRetryable(thrown)
      refused.push(...numbers(first, first + part.length).map((index) => ({ index, error, retryable })))
    }
  }
  await send(request, 0)
  return refused.length === 0 ? undefined : { refused }
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}
