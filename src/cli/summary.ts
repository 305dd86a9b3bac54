import type { DeliverStats } from '../index.ts'
import { countText, durationText, sizeText } from '../units.ts'
import type { Undelivered } from './ledger.ts'

/** How the account is given at the end. */
export type ReportKind = (typeof reportKinds)[number]
export const reportKinds = ['text', 'json', 'none'] as const

/** An input that was not read to its end. */
export interface Unread {
  readonly source: string
  /** The offset behind the last record that was found; `null` where that cannot be said. */
  readonly from: number | null
  /** Bytes behind it that were read, but are no whole record. */
  readonly partialBytes: number
}

/** An input that could not be read to its end, and why. */
export interface FailedInput {
  readonly source: string
  readonly error: string
}

/** What became of everything. */
export interface Summary {
  readonly exitCode: number
  /** What went wrong, if anything did. */
  readonly error: string | undefined
  /** The signal that ended it, if one did. */
  readonly signal: string | undefined
  readonly milliseconds: number
  /** Bytes read, before decompression. */
  readonly bytesRead: number
  readonly stats: DeliverStats
  /** The same for each destination, where there are several. */
  readonly targets: Readonly<Record<string, DeliverStats>>
  readonly undelivered: readonly Undelivered[]
  readonly unread: readonly Unread[]
  readonly failedInputs: readonly FailedInput[]
}

/** The account as one line of JSON. */
export function summaryJson(summary: Summary): string {
  const { stats, targets, error = null, signal = null, milliseconds, ...others } = summary
  const seconds = Math.round(milliseconds) / 1000
  const destinations = Object.entries(targets).map(([name, of]) => [name, statsJson(of)])
  return JSON.stringify({
    ...others,
    error,
    signal,
    seconds,
    ...statsJson(stats),
    ...(destinations.length > 0 && { destinations: Object.fromEntries(destinations) }),
  })
}

function statsJson({ oldestPending: _, requests, bytes, ...counts }: DeliverStats): object {
  return { ...counts, objects: requests, bytes }
}

/** The account for people. */
export function summaryText(summary: Summary): string {
  const { stats, targets, milliseconds, bytesRead, undelivered, unread, failedInputs } = summary
  const seconds = Math.max(milliseconds, 1) / 1000
  const { expanded, bytes } = stats
  const made = expanded > 0 ? `, ${countText(expanded)} of them made out of others` : ''
  const rate = `${countText(Math.round(stats.in / seconds))} records/s, ${sizeText(bytesRead / seconds)}/s`
  const reasons = Object.entries(stats.batches).map(([reason, count]) => `${countText(count)} by ${reason}`)
  const smaller = bytes.after === bytes.before ? '' : `, ${sizeText(bytes.after)} after compression`
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['in', `${records(stats.in)}${made}, ${sizeText(bytesRead)} in ${durationText(milliseconds)} (${rate})`],
    ['delivered', `${records(stats.delivered)} in ${objects(stats.requests)}, ${sizeText(bytes.before)}${smaller}`],
    ...Object.entries(targets).map(([name, of]): readonly [string, string] => ['', targetText(name, of)]),
    ['dropped', records(stats.dropped)],
    ['backed up', records(stats.backedUp)],
    ['not ended', stats.pending > 0 ? records(stats.pending) : undefined],
    ...Object.entries(stats.byCode).map(([code, counts]): readonly [string, string] => [
      'failed',
      failedText(code, counts),
    ]),
    ['batches', `closed: ${reasons.length === 0 ? 'none' : reasons.join(', ')}; ${countText(stats.retries)} retries`],
  ]
  const lines = rows.flatMap(([label, value]) => (value === undefined ? [] : [`${label.padEnd(11)}${value}`]))
  const advice = stats.advice.map((words) => `advice     ${words}`)
  return [
    ...lines,
    ...undeliveredLines(undelivered),
    ...unread.map(unreadLine),
    ...failedLines(failedInputs),
    ...advice,
  ].join('\n')
}

/** One of several destinations, below the sum of all. */
function targetText(name: string, { delivered, backedUp, pending, requests, bytes }: DeliverStats): string {
  const others = [
    backedUp > 0 ? `${countText(backedUp)} backed up` : '',
    pending > 0 ? `${countText(pending)} not ended` : '',
  ]
  return [
    `${name}: ${records(delivered)} in ${objects(requests)}, ${sizeText(bytes.after)}`,
    ...others.filter(Boolean),
  ].join('; ')
}

/** So many stretches are shown to people; all of them are in the JSON. */
const shownStretches = 8

function undeliveredLines(undelivered: readonly Undelivered[]): string[] {
  const lines = undelivered.slice(0, shownStretches).map(({ source, records: count, from, to }) => {
    return `not delivered: ${records(count)} of ${source}, from byte ${from} to ${to}`
  })
  const others = undelivered.slice(shownStretches)
  if (others.length === 0) return lines
  const count = others.reduce((sum, { records: more }) => sum + more, 0)
  return [...lines, `not delivered: ${records(count)} more, in ${others.length} places; --report=json has them all`]
}

function failedText(
  code: string,
  { records: count, retries, message, firstPlace }: DeliverStats['byCode'][string],
): string {
  const counts = [count > 0 ? records(count) : '', retries > 0 ? `${countText(retries)} retries` : ''].filter(Boolean)
  const place = firstPlace === undefined ? '' : `; the first is ${firstPlace}`
  return `${code}: ${counts.join(', ')}: ${message}${place}`
}

function failedLines(failed: readonly FailedInput[]): string[] {
  return failed.length < 2
    ? []
    : [`${countText(failed.length)} inputs could not be read to their end; --report=json has them all`]
}

function unreadLine({ source, from, partialBytes }: Unread): string {
  if (from === null) return `not read: the rest of ${source}`
  const partial = partialBytes > 0 ? `; ${partialBytes} bytes of it were read, but are no whole record` : ''
  return `not read: ${source} from byte ${from} on${partial}`
}

function records(count: number): string {
  return count === 1 ? '1 record' : `${countText(count)} records`
}

function objects(count: number): string {
  return count === 1 ? '1 object' : `${countText(count)} objects`
}
