/**
 * One run: inputs in, an account out.
 *
 *     inputs ─▶ Feeder (a splitter for each) ─▶ Way (transforms, batch, deliver) ─▶ Summary ─▶ exit code
 *                 ▲ first signal: reads no more     ▲ second signal, or grace over: stops now
 */
import { writeSync } from 'node:fs'
import { Discard } from '../deliver/backup/backup.ts'
import { readOptions } from '../options.ts'
import { retryFields } from '../retry/retry-options.ts'
import { durationText } from '../units.ts'
import type { OnBusy } from './busy-watch.ts'
import { FailureWatch, type MaxFailed } from './failure-watch.ts'
import { Feeder } from './feed.ts'
import type { ByteInput, Input } from './inputs.ts'
import { Ledger } from './ledger.ts'
import { type Moment, type ProgressKind, showProgress } from './progress.ts'
import type { Setup } from './setup.ts'
import { onSignals, withoutListeners } from './stop.ts'
import { type FailedInput, type ReportKind, type Summary, summaryJson, summaryText, type Unread } from './summary.ts'
import { wordsOf } from './usage-error.ts'
import { makeWay, type Way } from './way.ts'

/** What may be said of a run beside what is done with the records. */
export interface RunOptions {
  /** Milliseconds that a signal leaves for delivering what was read. */
  readonly grace: number
  /** Whether the inputs behind one that cannot be read are read. */
  readonly keepGoing: boolean
  /** How many records may fail; more stop the run. */
  readonly maxFailed: MaxFailed | undefined
  readonly progress: ProgressKind
  readonly report: ReportKind
}

/** What others may do with a run. */
export interface RunControl {
  /** Set by the run: stops everything, without a word where there is no error. */
  stopNow(error?: Error): void
}

/** Why a run was stopped before its end. */
class Stopped extends Error {
  override readonly name = 'Stopped'
}

/** Runs until everything has ended. @returns The exit code. */
export async function run(
  setup: Setup,
  inputs: readonly Input[],
  options: RunOptions,
  control: RunControl,
): Promise<number> {
  const started = performance.now()
  const ledger = new Ledger()
  const way = makeWay(setup, ledger)
  const feeder = new Feeder(ledger, setup.splitter, () => way.flush(), setup.reuse)
  const broken = new AbortController()
  way.finished.catch((error) => broken.abort(error))

  let isQuiet = false
  let signalled: NodeJS.Signals | undefined
  let cancelGrace = (): void => undefined
  const failures: unknown[] = []
  const failedInputs: FailedInput[] = []
  /** Says something at once, beside the progress. */
  const say = (words: string): void => progress.say(words)
  const destroy = (reason: Error): void => {
    feeder.stop()
    way.destroy(reason)
  }
  control.stopNow = (error) => {
    isQuiet = error === undefined
    destroy(error ?? new Stopped('stopped'))
  }
  const watch = new FailureWatch({
    ...fateOf(setup),
    maxFailed: options.maxFailed,
    came: () => way.stats().in,
    say,
    stop(error) {
      failures.push(error)
      feeder.stop()
    },
  })
  const progress = await showProgress(options.progress, () => momentOf(way, feeder, inputs, watch))
  const forgetSignals = onSignals({
    finish(signal) {
      signalled = signal
      progress.stop()
      feeder.stop()
      const grace = durationText(options.grace)
      say(`${signal}: delivering what was read, for ${grace} at most; once more stops now`)
      const timer = setTimeout(
        () => destroy(new Stopped(`not everything could be delivered within ${grace}`)),
        options.grace,
      )
      cancelGrace = () => clearTimeout(timer)
    },
    stop: (signal) => destroy(new Stopped(`stopped by a second signal (${signal})`)),
  })
  const forgetBusy = hasFunctions(setup) ? await watchFunctions(deafness()) : (): void => undefined

  try {
    for (const input of inputs) {
      if (broken.signal.aborted) break
      try {
        await feeder.feed(input, way.head, broken.signal)
      } catch (error) {
        failedInputs.push({ source: input.name, error: wordsOf(error) })
        if (!options.keepGoing) throw error
        say(wordsOf(error))
      }
    }
  } catch (error) {
    failures.push(error)
  }
  // Also after a mistake in an input: what was read before it is delivered.
  if (!way.head.destroyed) way.head.end()
  await way.finished.catch((error) => {
    if (!(error instanceof Stopped && isQuiet)) failures.unshift(error)
  })
  await feeder.closed().catch((error) => {
    if (!(error instanceof Stopped) && failures.length === 0) failures.push(error)
  })
  const tooMany = watch.end()
  if (tooMany !== undefined) failures.push(tooMany)
  cancelGrace()
  progress.stop()
  forgetBusy()
  forgetSignals()
  if (isQuiet) return 1

  const unread = inputs.flatMap((input) => ('begin' in input ? [] : unreadOf(input, feeder, setup)))
  const stats = way.stats()
  const undelivered = ledger.undelivered()
  const failedNames = new Set(failedInputs.map(({ source }) => source))
  const isUnread = unread.some(({ source }) => !options.keepGoing || !failedNames.has(source))
  const isIncomplete = failures.length > 0 || isUnread || undelivered.length > 0 || stats.pending > 0
  const hasFailed = stats.backedUp > 0 || Object.values(stats.byCode).some(({ records }) => records > 0)
  const summary: Summary = {
    exitCode: signalled === 'SIGINT' ? interrupted : isIncomplete ? 1 : failedInputs.length > 0 ? 4 : hasFailed ? 3 : 0,
    error: failures.length === 0 ? undefined : failures.map(wordsOf).join('; '),
    signal: signalled,
    milliseconds: performance.now() - started,
    bytesRead: feeder.bytesRead,
    stats,
    targets: way.targets(),
    undelivered,
    unread,
    failedInputs,
  }
  give(summary, options.report, setup.usesStdout)
  return summary.exitCode
}

/** What shells say of a process that Ctrl-C has ended: 128 and the number of SIGINT. */
const interrupted = 130

/** So many milliseconds without a turn of the event loop, and a signal ends the program at once. */
const busyAfter = 2_000

/** Loads what watches only where there is something to be watched. */
async function watchFunctions(onBusy: OnBusy): Promise<() => void> {
  const { watchBusy } = await import('./busy-watch.ts')
  return watchBusy(onBusy, busyAfter)
}

/** Whether code of the user runs in this thread, which may not return. */
function hasFunctions({ transforms, targets }: Setup): boolean {
  return transforms.some(({ isOurs }) => !isOurs) || targets.some(({ batch: { key } }) => typeof key === 'function')
}

/** What is done while a function does not return: signals would not be heard. */
function deafness(): OnBusy {
  let isSaid = false
  let putBack = (): void => undefined
  return {
    busy() {
      putBack = withoutListeners()
      if (isSaid) return
      isSaid = true
      const words = `a function has not returned for ${durationText(busyAfter)}: a signal ends the program at once now, without an account`
      writeSync(2, `hosepipe: ${words}\n`)
    },
    free: () => putBack(),
  }
}

/** Writes the account: for people to standard error; for machines to standard output, unless the records go there. */
function give(summary: Summary, kind: ReportKind, stdoutIsTaken: boolean): void {
  if (summary.error !== undefined) process.stderr.write(`hosepipe: ${summary.error}\n`)
  if (kind === 'json') (stdoutIsTaken ? process.stderr : process.stdout).write(`${summaryJson(summary)}\n`)
  if (kind === 'text') process.stderr.write(`${summaryText(summary)}\n`)
}

/** What becomes of records that fail, and for how long failed attempts are made again. */
function fateOf({ backup, retry }: Setup): {
  readonly becomes: string | undefined
  readonly retryFor: number
} {
  const becomes =
    backup === undefined
      ? undefined
      : backup instanceof Discard
        ? 'it is thrown away, as are others'
        : 'it goes to the backup, as do others'
  return { becomes, retryFor: readOptions('retry', retry || {}, retryFields).retryFor }
}

function momentOf(way: Way, feeder: Feeder, inputs: readonly Input[], watch: FailureWatch): Moment {
  const { in: came, delivered, dropped, backedUp, pending } = way.stats()
  const sizes = inputs.map(({ size }) => size ?? Number.NaN)
  const sum = sizes.reduce((all, size) => all + size, 0)
  return {
    bytesRead: feeder.bytesRead,
    bytesInAll: Number.isNaN(sum) ? undefined : sum,
    in: came,
    delivered,
    dropped,
    backedUp,
    pending,
    openBatches: way.openBatches(),
    failing: watch.last,
  }
}

/** What of an input was not read, and so not delivered either. */
function unreadOf(input: ByteInput, feeder: Feeder, { splitter }: Setup): Unread[] {
  const reading = feeder.reading(input)
  if (reading === undefined) return [{ source: input.name, from: 0, partialBytes: 0 }]
  if (reading.hasEnded) return []
  // Reading cannot go on in the middle of a JSON text.
  if (splitter.name === 'jsonValues') return [{ source: input.name, from: null, partialBytes: 0 }]
  const partialBytes = reading.bytes - reading.to
  // Of a stream it is not known whether more would have come; all that came was whole.
  if (input.size === undefined && feeder.isStopped && partialBytes === 0) return []
  return [{ source: input.name, from: reading.to, partialBytes }]
}
