/** The file that runs in a thread which writes row groups. */
import { parentPort } from 'node:worker_threads'
import { toError } from '../../errors.ts'
import { Account } from '../../receipts/receipts.ts'
import { Records } from '../../records/records.ts'
import { toSent } from '../../sent-error.ts'
import { answerOf, type GroupJob } from './group-messages.ts'
import { GroupWriter } from './group-writer.ts'

/** The writer of the last shape: a thread mostly works for one encoder. */
let last: { readonly shapeId: number; readonly writer: GroupWriter } | undefined
const account = new Account()

/** Its only user is the thread that has started it; messages come as they were sent. */
function jobOf(message: unknown): GroupJob {
  return message as GroupJob
}

async function answer({ shape, shapeId, bytes, ends }: GroupJob) {
  if (last?.shapeId !== shapeId) last = { shapeId, writer: new GroupWriter(shape) }
  const receipt = account.open(ends.length, 0)
  const run = Records.framed(
    { receipt, arrivedAt: 0 },
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
    0,
    ends,
  )
  const made = await last.writer.write([{ run, from: 0, to: run.length }])
  receipt.settle('delivered', ends.length)
  return answerOf(made)
}

parentPort?.on('message', (message: unknown) => {
  answer(jobOf(message)).then(
    (made) => parentPort?.postMessage(made.answer, made.memory),
    (error) => {
      // What stands in it belongs to a group that failed.
      last = undefined
      parentPort?.postMessage({ failed: toSent(toError(error)) })
    },
  )
})
