/** The file that runs in the thread of a `watchBusy`. */
import { Session } from 'node:inspector'
import { workerData } from 'node:worker_threads'
import type { BusyTask } from './busy-task.ts'

/** Its only user is the thread that has started it. */
function taskOf(data: unknown): BusyTask {
  return data as BusyTask
}

const { beats, beatMs, maxMissed, expression } = taskOf(workerData)
let [last, missed] = [0, 0]

setInterval(() => {
  const now = Atomics.load(beats, 0)
  missed = now === last ? missed + 1 : 0
  last = now
  if (missed !== maxMissed) return
  // Code that is evaluated so interrupts what is running.
  const session = new Session()
  session.connectToMainThread()
  session.post('Runtime.evaluate', { expression }, () => session.disconnect())
}, beatMs)
