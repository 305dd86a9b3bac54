/** Runs the program `hosepipe`. Says what is wrong in words; `NODE_DEBUG=hosepipe` shows where it came from. */
import { debuglog } from 'node:util'
import { logToStderr } from '../logs-to-stderr.ts'
import { redact } from '../redact.ts'
import { execute } from './program.ts'
import type { RunControl } from './run.ts'
import { wordsOf } from './usage-error.ts'

const debug = debuglog('hosepipe')
/**
 * Does what the words of a command line say, and ends the process.
 *
 * @param argv - The words behind the program's name.
 */
export async function start(argv: readonly string[]): Promise<void> {
  // Standard output is for records: what functions of the user print goes where the program's own words go, in threads, too.
  logToStderr()
  const control: RunControl = { stopNow: (error) => void end(error === undefined ? 1 : fail(error)) }

  // The reader of standard output may go, as `head` does: the run stops without an account.
  process.stdout.on('error', (error: NodeJS.ErrnoException) =>
    control.stopNow(error.code === 'EPIPE' ? undefined : error),
  )
  process.stderr.on('error', () => undefined)
  process.on('uncaughtException', (error) => {
    debug('%s', redact(error.stack ?? error.message))
    control.stopNow(error)
  })
  // Nothing is left that could go on, but the run has not ended. Without this Node would end with code 13 and without an account.
  process.once('beforeExit', () =>
    control.stopNow(
      new Error('nothing is left to wait for, but not all has ended: a function returned a promise that never settles'),
    ),
  )

  try {
    await end(await execute(argv, control))
  } catch (error) {
    await end(fail(error))
  }
}

function fail(error: unknown): number {
  for (const line of wordsOf(error).split('\n')) process.stderr.write(`hosepipe: ${line}\n`)
  debug('%s', redact(String(error instanceof Error ? error.stack : error)))
  return 1
}

/** Ends the process when all is written: functions of the user may have left timers and connections behind. */
async function end(code: number): Promise<void> {
  process.exitCode = code
  for (const stream of [process.stdout, process.stderr]) {
    if (!stream.destroyed) await new Promise<void>((resolve) => stream.write('', () => resolve()))
  }
  process.exit(code)
}
