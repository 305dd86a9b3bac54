import { countText, durationText, sizeText } from '../units.ts'

/** How progress is shown while records flow. */
export type ProgressKind = (typeof progressKinds)[number]
export const progressKinds = ['bar', 'json', 'none'] as const

/** What there is to show at one moment. */
export interface Moment {
  /** Bytes read, before decompression. */
  readonly bytesRead: number
  /** Bytes of all inputs; `undefined` where one of them is a pipe or a device. */
  readonly bytesInAll: number | undefined
  readonly in: number
  readonly delivered: number
  readonly dropped: number
  readonly backedUp: number
  readonly pending: number
  readonly openBatches: number
  /** The destination and the code of what failed last. */
  readonly failing: string | undefined
}

/** Shows progress on standard error until it is stopped. */
export interface Progress {
  /** Says something beside the progress: a line of its own, or of JSON. */
  say(words: string): void
  /** Shows how it ended, and clears what was in the way of other output. */
  stop(): void
}

const intervals = { bar: 250, json: 1000 }

/** Begins to show what `look` says. */
export async function showProgress(kind: ProgressKind, look: () => Moment): Promise<Progress> {
  const sayPlainly = (words: string): void => void process.stderr.write(`hosepipe: ${words}\n`)
  if (kind === 'none') return { say: sayPlainly, stop: () => undefined }
  const started = performance.now()
  const display = kind === 'json' ? lines : await makeBar(look())
  const update = (): void => display.show(look(), (performance.now() - started) / 1000)
  const timer = setInterval(update, intervals[kind])
  timer.unref()
  let isStopped = false
  return {
    say(words) {
      if (isStopped) sayPlainly(words)
      else display.say(words)
    },
    stop() {
      if (isStopped) return
      isStopped = true
      clearInterval(timer)
      update()
      display.stop()
    },
  }
}

interface Display {
  say(words: string): void
  show(moment: Moment, seconds: number): void
  stop(): void
}

const lines: Display = {
  say: (message) => void process.stderr.write(`${JSON.stringify({ message })}\n`),
  show: showLine,
  stop: () => undefined,
}

function showLine(moment: Moment, seconds: number): void {
  const { bytesRead, bytesInAll, failing, ...others } = moment
  const line = {
    seconds: rounded(seconds),
    bytesRead,
    bytesInAll: bytesInAll ?? null,
    ...others,
    failing: failing ?? null,
    bytesPerSecond: Math.round(perSecond(bytesRead, seconds)),
    recordsPerSecond: Math.round(perSecond(moment.in, seconds)),
    secondsLeft: secondsLeft(moment, seconds) ?? null,
  }
  process.stderr.write(`${JSON.stringify(line)}\n`)
}

async function makeBar({ bytesInAll }: Moment): Promise<Display> {
  const { SingleBar } = await import('cli-progress')
  const facts = '{read} | {rate} | {records} | {open} open{failing}'
  const bar = new SingleBar({
    format: bytesInAll === undefined ? facts : `{bar} {percentage}% | ${facts} | ETA {left}`,
    stream: process.stderr,
    barsize: 16,
    barCompleteChar: '#',
    barIncompleteChar: '.',
    hideCursor: true,
    clearOnComplete: true,
    emptyOnZero: true,
    linewrap: null,
    // Without this the bar would end the process at a signal; the run has its own way to stop.
    ...{ gracefulExit: false },
  })
  const payload = (moment: Moment, seconds: number): object => ({
    read: sizeText(moment.bytesRead),
    rate: `${sizeText(perSecond(moment.bytesRead, seconds))}/s`,
    records: `${countText(moment.in)} records`,
    open: moment.openBatches,
    failing: moment.failing === undefined ? '' : ` | ! ${moment.failing}`,
    left: durationText((secondsLeft(moment, seconds) ?? Number.NaN) * 1000),
  })
  const nothing = {
    bytesRead: 0,
    bytesInAll,
    in: 0,
    delivered: 0,
    dropped: 0,
    backedUp: 0,
    pending: 0,
    openBatches: 0,
    failing: undefined,
  }
  bar.start(bytesInAll ?? 0, 0, payload(nothing, 0))
  return {
    // The bar draws itself anew on the line behind.
    say: (words) => void process.stderr.write(`\r\u001b[Khosepipe: ${words}\n`),
    show: (moment, seconds) => bar.update(moment.bytesRead, payload(moment, seconds)),
    stop: () => bar.stop(),
  }
}

function perSecond(count: number, seconds: number): number {
  return seconds > 0 ? count / seconds : 0
}

function secondsLeft({ bytesRead, bytesInAll }: Moment, seconds: number): number | undefined {
  if (bytesInAll === undefined || bytesRead === 0) return undefined
  return rounded((Math.max(0, bytesInAll - bytesRead) / bytesRead) * seconds)
}

function rounded(seconds: number): number {
  return Math.round(seconds * 10) / 10
}
