/** The file that runs in the thread of a `separator(/…/, { thread: true })`. */
import { parentPort, workerData } from 'node:worker_threads'
import { toError } from '../errors.ts'
import { Account } from '../receipts/receipts.ts'
import { FailedRecords } from '../records/failed-records.ts'
import type { Places } from '../records/places.ts'
import type { Records } from '../records/records.ts'
import { isOurs, toSent } from '../sent-error.ts'
import type { FoundRun, PatternAnswer, PatternInput, PatternTask } from './pattern-messages.ts'
import { patternFinder, SeparatorSplitter } from './separator-splitter.ts'
import type { SplitOutlet } from './splitter.ts'

/** Its only user is the thread that has started it; messages come as they were sent. */
function taskOf(data: unknown): PatternTask {
  return data as PatternTask
}

function inputOf(message: unknown): PatternInput {
  return message as PatternInput
}

interface Opened {
  readonly from: number
  readonly to: number
  readonly places: Places | undefined
}

const { pattern, lookahead, limit, keepEmpty } = taskOf(workerData)
const account = new Account()
let opened: Opened = { from: 0, to: 0, places: undefined }
let runs: FoundRun[] = []

/** A run is opened and then pushed, so that the last one that was opened is the one that is pushed. */
const outlet: SplitOutlet = {
  open(count, from, to, places) {
    opened = { from, to, places }
    return { receipt: account.open(count, 0), arrivedAt: 0, places }
  },
  push(chunk) {
    if (chunk instanceof FailedRecords) {
      const { code, message } = chunk.reason(0)
      runs.push(found(chunk.records, { code: isOurs(code) ? code : 'Split.Malformed', message }))
    } else runs.push(found(chunk, undefined))
  },
  now: () => 0,
}

function found(records: Records, failed: FoundRun['failed']): FoundRun {
  const { length } = records
  const { from, to, places } = opened
  records.receipt.settle('delivered', length)
  return {
    from,
    to,
    offsets: Float64Array.from({ length }, (_, i) => places?.offset(i) ?? from),
    bytes: new Uint8Array(records.bytes),
    ends: Uint32Array.from(records.ends),
    failed,
  }
}

const state = new SeparatorSplitter(outlet, patternFinder(pattern, lookahead), 'utf8', limit, keepEmpty)

async function answer(input: PatternInput): Promise<PatternAnswer> {
  let error: Error | undefined
  try {
    if (input === 'end') await state.end()
    else await state.write(Buffer.from(input.bytes.buffer, input.bytes.byteOffset, input.bytes.byteLength))
  } catch (thrown) {
    error = toError(thrown)
  }
  const done = runs
  runs = []
  return { runs: done, error: error && toSent(error) }
}

parentPort?.on('message', (message: unknown) => {
  void answer(inputOf(message)).then((done) => {
    const memory = done.runs.flatMap(({ offsets, bytes, ends }) => {
      return [offsets, bytes, ends].map(({ buffer }) => buffer)
    })
    parentPort?.postMessage(done, memory)
  })
})
