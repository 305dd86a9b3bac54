/**
 * Measures a way on the user's data, without writing anything.
 *
 *     read                                         │ each row is timed as a way of its own, in turns with the others;
 *     read ─ split                                 │ a stage's time is what it adds to the way before it
 *     read ─ split ─ filter ─ map                  │
 *     read ─ split ─ filter ─ map ─ batch          │
 *     read ─ split ─ filter ─ map ─ batch ─ encode, compress
 */
import { type Duplex, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { batch, type DeliverStats, type Destination, deliver, type Send, split } from '../index.ts'
import { countText, sizeText } from '../units.ts'
import type { Config } from './config.ts'
import type { ByteInput } from './inputs.ts'
import { makeSetup, type Setup } from './setup.ts'
import type { ReportKind } from './summary.ts'
import { UsageError } from './usage-error.ts'

/** So much of a file is read at most, before decompression: enough for figures that stay, and done in seconds. */
const sampleBytes = 256 * 1024 * 1024
/** Rounds go on until they took so long together, in milliseconds, and there were enough for a median. */
const enoughTime = 3000
const enoughRounds = 3

/** What one stage takes. */
export interface StageTime {
  readonly stage: string
  readonly milliseconds: number
}

/** What was measured. */
export interface BenchResult {
  readonly source: string
  readonly rounds: number
  readonly records: number
  /** Bytes that were read, after decompression. */
  readonly bytes: number
  /** The whole way, once. */
  readonly milliseconds: number
  readonly stages: readonly StageTime[]
  /** The most memory that the process had, in bytes. */
  readonly peakMemory: number
  readonly stats: DeliverStats
  /** Why the first record failed, if one did. */
  readonly firstFailure: string | undefined
}

/**
 * Measures and prints.
 *
 * @throws UsageError when there is nothing in the file; errors of the config and of the stages.
 */
export async function bench(config: Config, input: ByteInput, report: ReportKind): Promise<void> {
  const result = await measure(config, input)
  if (report === 'json') {
    const { stats, ...others } = result
    const { oldestPending: _, requests, bytes, ...counts } = stats
    const seconds = result.milliseconds / 1000
    const rates = { recordsPerSecond: result.records / seconds, megabytesPerSecond: result.bytes / 1e6 / seconds }
    process.stdout.write(
      `${JSON.stringify({ ...others, ...rates, ...counts, objects: requests, objectBytes: bytes })}\n`,
    )
  } else if (report === 'text') process.stdout.write(`${benchText(result)}\n`)
}

async function measure(config: Config, input: ByteInput): Promise<BenchResult> {
  let firstFailure: string | undefined
  const nothing: Destination = { name: 'nothing', send: async () => undefined }
  const noteFailure: Send = async ({ batch: failed }) => {
    if (firstFailure !== undefined) return
    const first: unknown = JSON.parse(failed.at(0).toString())
    if (typeof first !== 'object' || first === null || !('errorMessage' in first)) return
    firstFailure = String(first.errorMessage)
  }
  const output = { stream: process.stdout, onGone: () => undefined }
  const setup = await makeSetup({ ...config, backup: noteFailure }, { output, to: nothing })
  const ways = waysOf(setup)
  const times = ways.map((): number[] => [])
  const started = performance.now()
  let last = await pass(setup, input, ways.at(-1) ?? [])
  if (last.bytes === 0) throw new UsageError(`${input.name} is empty: there is nothing to measure`)
  let rounds = 0
  while (rounds < enoughRounds || performance.now() - started < enoughTime) {
    for (const [i, names] of ways.entries()) {
      last = await pass(setup, input, names)
      times[i]?.push(last.milliseconds)
    }
    rounds += 1
  }
  const medians = times.map(median)
  const whole = medians.at(-1) ?? 0
  const stages = ways.map((names, i) => {
    return { stage: names.at(-1) ?? 'read', milliseconds: Math.max(0, (medians[i] ?? 0) - (medians[i - 1] ?? 0)) }
  })
  const { stats } = last
  if (stats === undefined) throw new Error('the last way of a round ends in deliver')
  return {
    source: input.name,
    rounds,
    records: stats.in - stats.expanded,
    bytes: last.bytes,
    milliseconds: whole,
    stages,
    peakMemory: process.resourceUsage().maxRSS * 1024,
    stats,
    firstFailure,
  }
}

/** The ways to time, each one stage longer than the one before; the first only reads. */
function waysOf({ transforms, targets: [target] }: Setup): readonly (readonly string[])[] {
  const delivery = target?.delivery ?? {}
  const last = ['encode', ...(delivery.compress === undefined ? [] : [delivery.compress.name])].join(', ')
  const names = ['split', ...transforms.map(({ name }) => name), 'batch', last]
  return [[], ...names.map((_, i) => names.slice(0, i + 1))]
}

/** Sends the file, or the beginning of a large one, through the first stages of the way. */
async function pass(
  setup: Setup,
  input: ByteInput,
  names: readonly string[],
): Promise<{ readonly milliseconds: number; readonly bytes: number; readonly stats: DeliverStats | undefined }> {
  const { splitter, transforms } = setup
  const [target] = setup.targets
  if (target === undefined) throw new Error('a setup has a target')
  const { to, delivery } = target
  const makers: readonly (() => Duplex)[] = [
    () => split(splitter),
    ...transforms.map(({ make }) => make),
    () => batch({ format: delivery.encode ?? to.encode, ...target.batch }),
  ]
  const stages = makers.slice(0, names.length).map((make) => make())
  const end = names.length > makers.length ? deliver(to, delivery) : undefined
  const started = performance.now()
  // Ways that end early settle nothing, so that no memory would come back.
  const open = await input.open(false)
  let bytes = 0
  async function* sample(): AsyncGenerator<Buffer> {
    for await (const chunk of open.chunks) {
      bytes += chunk.length
      yield chunk
      if (open.bytesRead() >= sampleBytes) return
    }
  }
  const sink = end ?? new Writable({ objectMode: true, write: (_chunk, _encoding, done) => done() })
  try {
    await pipeline([Readable.from(sample(), { highWaterMark: 1 }), ...stages, sink])
  } finally {
    open.stop()
  }
  return { milliseconds: performance.now() - started, bytes, stats: end?.stats() }
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

/** What was measured, for people. */
export function benchText(result: BenchResult): string {
  const { source, rounds, records, bytes, milliseconds, stages, peakMemory, stats, firstFailure } = result
  const seconds = milliseconds / 1000
  const width = Math.max(...stages.map(({ stage }) => stage.length))
  const whole = stages.reduce((sum, stage) => sum + stage.milliseconds, 0)
  const rows = stages.map(({ stage, milliseconds: time }) => {
    const share = `${Math.round((time / whole) * 100)} %`.padStart(6)
    const each = records === 0 ? '' : `${countText(Math.round((time / records) * 1e6))} ns a record`.padStart(22)
    return `  ${stage.padEnd(width)}  ${`${time.toFixed(1)} ms`.padStart(12)}${share}${each}`
  })
  const ended = `${countText(stats.delivered)} delivered, ${countText(stats.dropped)} dropped, ${countText(stats.backedUp)} failed`
  return [
    `${source}: ${countText(records)} records, ${sizeText(bytes)}; median of ${rounds} rounds, nothing written`,
    `  ${countText(Math.round(records / seconds))} records/s, ${(bytes / 1e6 / seconds).toFixed(1)} MB/s, peak memory ${sizeText(peakMemory)}`,
    ...rows,
    `  ${ended}${firstFailure === undefined ? '' : `; the first because: ${firstFailure}`}`,
  ].join('\n')
}
