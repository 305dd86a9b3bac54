import { setImmediate as turn } from 'node:timers/promises'

let pending = 0

/** Says how many promises of its own are pending. */
export default async (): Promise<string> => {
  pending += 1
  const answer = String(pending)
  for (let i = 0; i < 5; i += 1) await turn()
  pending -= 1
  return answer
}
