import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** How a process ended, and what it said. */
export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly lines: readonly string[]
  readonly err: string
}

/**
 * Starts a TypeScript file of this folder as a process of its own, from source as the tests are. Its standard input is open for as
 * long as this process is there.
 *
 * @param nodeArgs - Options of Node itself: `--max-old-space-size=128`.
 * @param args - What the file finds in `process.argv`.
 */
export function startChild(name: string, nodeArgs: readonly string[], args: readonly string[]) {
  const script = fileURLToPath(new URL(name, import.meta.url))
  // What tap adds to find out about coverage costs memory and is of no use in here.
  const loaders = process.execArgv.filter((arg) => !arg.includes('processinfo'))
  const { NODE_OPTIONS: _, ...env } = process.env
  return spawn(process.execPath, [...nodeArgs, ...loaders, script, ...args], {
    env,
    stdio: 'pipe',
    timeout: 100_000,
    killSignal: 'SIGKILL',
  })
}

/** Starts a file as {@link startChild} does, and waits for its end. */
export async function runChild(name: string, nodeArgs: readonly string[], args: readonly string[]): Promise<Ended> {
  const child = startChild(name, nodeArgs, args)
  const closed = once(child, 'close')
  const [out, err] = await Promise.all([child.stdout.toArray(), child.stderr.toArray()])
  await closed
  const lines = Buffer.concat(out).toString().trim().split('\n')
  return { code: child.exitCode, signal: child.signalCode, lines, err: Buffer.concat(err).toString() }
}
