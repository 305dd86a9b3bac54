/**
 * Where what users' functions print goes. In a program whose standard output is for records that is standard error, also in its threads, which are told
 * when they start.
 */
import { Console } from 'node:console'

const name = Symbol.for('hosepipe.logsToStderr')

/** From now on what is printed goes to standard error: in this thread, and in those that this one starts. */
export function logToStderr(): void {
  Reflect.set(globalThis, name, true)
  globalThis.console = new Console(process.stderr, process.stderr)
}

/** Whether it does. */
export function logsToStderr(): boolean {
  return Reflect.get(globalThis, name) === true
}
