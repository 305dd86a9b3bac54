/** Succeeds at the third attempt; of 1 the promise never settles. */
import { json } from '../../../src/transform/view.ts'

let attempts = 0

export default json(async ({ i }: { i: number }) => {
  if (i === 1) return new Promise<never>(() => undefined)
  attempts += 1
  if (attempts < 3) throw Object.assign(new Error('down'), { code: 'ECONNRESET' })
  return { i, attempt: attempts }
})
