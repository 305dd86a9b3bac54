/** The flags, and what becomes of them: the same options that a config file has. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { durationForm, parseDuration, parseSize, sizeForm } from '../units.ts'
import { type Config, isObject } from './config.ts'
import { type EditFlag, editFlags, editForms, FlagEdits } from './edits.ts'
import type { MaxFailed } from './failure-watch.ts'
import { type FunctionKind, functionKinds } from './load-module.ts'
import { type ProgressKind, progressKinds } from './progress.ts'
import { type ReadyKind, readyKinds } from './ready-made.ts'
import { type ReportKind, reportKinds } from './summary.ts'
import { UsageError } from './usage-error.ts'

/** Flags that count once: the last one given. */
interface Single {
  backup?: string | undefined
  sourceBackup?: string | undefined
  config?: string | undefined
  split?: string | undefined
  encode?: string | undefined
  prefix?: string | undefined
  compress?: string | undefined
  concurrency?: number | undefined
  grace?: number | undefined
  keepGoing?: boolean | undefined
  connect?: boolean | undefined
  maxFailed?: MaxFailed | undefined
  progress?: ProgressKind | undefined
  report?: ReportKind | undefined
}

/** A function, by the flag that names it; flags of edits next to one another are one. */
type FlagFunction =
  | { readonly kind: FunctionKind | ReadyKind; readonly path: string }
  | { readonly kind: 'edit'; readonly edits: FlagEdits }

/** What was given on the command line. */
export interface Flags extends Single {
  readonly to: string[]
  readonly key: string[]
  readonly batch: Record<string, number | string>
  readonly timestampFormats: string[]
  /** In the order in which they were written. */
  readonly functions: FlagFunction[]
}

/** Flags that take a value only behind `=`, because the next word is a file; given alone they mean the default. */
const alone: readonly string[] = ['--gzip', '--zstd']

/** Adds the flags to a command. @returns Where they are found when it was parsed. */
export function addFlags(command: Command): Flags {
  const flags: Flags = { to: [], key: [], batch: {}, timestampFormats: [], functions: [] }
  const single: Single = flags
  const add = (form: string, take: (text: string) => void, conflict?: string): void => {
    const option = new Option(form).conflicts(conflict ?? []).argParser((text: string) => {
      take(text)
      return text
    })
    command.addOption(option)
  }
  function one<Name extends keyof Single>(name: Name, form: string, read: (text: string) => Single[Name]): void {
    add(form, (text) => {
      if (single[name] !== undefined) throw new InvalidArgumentError('It can be given only once.')
      single[name] = read(text)
    })
  }
  const limit = (name: string, form: string, read: (text: string) => number | string): void => {
    add(form, (text) => {
      flags.batch[name] = read(text)
    })
  }
  const compressor = (name: string, other: string): void => {
    const take = (level: string): void => {
      flags.compress = name + level
    }
    add(`--${name} <level>`, take, other)
  }
  add('--to <url>', (url) => flags.to.push(notEmpty(url)))
  one('backup', '--backup <url>', notEmpty)
  one('sourceBackup', '--source-backup <url>', notEmpty)
  one('config', '--config <file>', notEmpty)
  one('split', '--split <how>', notEmpty)
  one('encode', '--format <how>', notEmpty)
  for (const kind of [...functionKinds, ...readyKinds])
    add(`--${kind} <${kind === 'blueprint' ? 'name' : 'file'}>`, (path) =>
      flags.functions.push({ kind, path: notEmpty(path) }),
    )
  for (const flag of editFlags) add(`--${flag} <${editForms[flag]}>`, (text) => addEdit(flags, flag, notEmpty(text)))
  add('--key <field>', (key) => flags.key.push(notEmpty(key)))
  one('prefix', '--prefix <text>', (text) => text)
  limit('maxBytes', '--max-bytes <size>', size)
  limit('maxAge', '--max-age <duration>', duration)
  limit('closeAt', '--close-at <unit>', (unit) => oneOf(unit, ['minute', 'hour', 'day']))
  limit('timestampFrom', '--timestamp-from <field>', notEmpty)
  add('--timestamp-format <format>', (format) => flags.timestampFormats.push(notEmpty(format)))
  limit('maxRecords', '--max-records <n>', count)
  compressor('gzip', 'zstd')
  compressor('zstd', 'gzip')
  one('concurrency', '--concurrency <n>', count)
  one('grace', '--grace <duration>', duration)
  one('maxFailed', '--max-failed <number>', maxFailed)
  const toggle = (name: 'keepGoing' | 'connect', form: string): void => {
    const option = new Option(form)
    command.addOption(option).on(`option:${option.name()}`, () => {
      single[name] = true
    })
  }
  toggle('keepGoing', '--keep-going')
  toggle('connect', '--connect')
  one('progress', '--progress <kind>', (kind) => oneOf(kind, progressKinds))
  one('report', '--report <kind>', (kind) => oneOf(kind, reportKinds))
  return flags
}

/** Adds to the edit that was written last, or begins another one. */
function addEdit({ functions }: Flags, flag: EditFlag, text: string): void {
  const last = functions.at(-1)
  if (last?.kind === 'edit' && last.edits.add(flag, text)) return
  const edits = new FlagEdits()
  edits.add(flag, text)
  functions.push({ kind: 'edit', edits })
}

/** Gives flags that take their value behind `=` the form that the parser knows. */
export function spelledOut(argv: readonly string[]): string[] {
  const end = argv.indexOf('--')
  return argv.map((word, i) => {
    if (end !== -1 && i > end) return word
    const [name = '', level] = word.split('=', 2)
    if (!alone.includes(name)) return word
    return level === undefined ? `${name}=` : `${name}=:${level}`
  })
}

/** The options of a config file, with those of the flags over them. */
export function withFlags(config: Config, flags: Flags): Config {
  const { to, backup, sourceBackup, split, encode, compress, concurrency, prefix, key } = flags
  const given = { to: to.length > 1 ? [...to] : to[0], backup, sourceBackup, split, encode, compress, concurrency }
  const merged: Record<string, unknown> = { ...config }
  for (const [name, value] of Object.entries(given)) if (value !== undefined) merged[name] = value
  if (prefix !== undefined) {
    const prefixed = (target: unknown) => (isObject(target) ? { ...target, prefix } : { url: target, prefix })
    // Of several, standard output has no names.
    const named = (target: unknown) => (target === '-' ? target : prefixed(target))
    merged.to = Array.isArray(merged.to) ? merged.to.map(named) : prefixed(merged.to)
  }
  const before = isObject(config.batch) ? config.batch : {}
  const batch = { ...flags.batch, ...(key.length > 0 && { key: [...key] }), ...timestampFlags(before, flags) }
  if (Object.keys(batch).length > 0) merged.batch = { ...before, ...batch }
  if (flags.functions.length > 0) {
    const many = concurrency === undefined ? {} : { concurrency }
    merged.transform = flags.functions.map((one) => {
      return one.kind === 'edit' ? { edit: one.edits.options() } : { [one.kind]: one.path, ...many }
    })
  }
  return merged
}

/** Where the time of a record stands, and how it is written; what a config says of it beside that stays. */
function timestampFlags(before: Config, { batch, timestampFormats: formats }: Flags): Config {
  if (batch.timestampFrom === undefined && formats.length === 0) return {}
  const given = isObject(before.timestampFrom) ? before.timestampFrom : { from: before.timestampFrom }
  const from = batch.timestampFrom ?? given.from
  if (from === undefined) throw new UsageError('--timestamp-format needs --timestamp-from FIELD')
  return { timestampFrom: { ...given, from, ...(formats.length > 0 && { formats: [...formats] }) } }
}

function notEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.')
  return text
}

function size(text: string): number {
  const bytes = parseSize(text)
  if (bytes === undefined || bytes < 1) throw new InvalidArgumentError(`It must be ${sizeForm}.`)
  return bytes
}

function duration(text: string): number {
  const milliseconds = parseDuration(text)
  if (milliseconds === undefined) throw new InvalidArgumentError(`It must be ${durationForm}.`)
  return milliseconds
}

function count(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('It must be a whole number, at least 1.')
  return Number(text)
}

function maxFailed(text: string): MaxFailed {
  const [, number, percent] = /^(\d{1,15}(?:\.\d+)?)(%?)$/.exec(text) ?? []
  const value = Number(number)
  if (number === undefined || (percent === '%' ? value > 100 : !Number.isInteger(value))) {
    throw new InvalidArgumentError('It must be a whole number of records, or a share such as 5%.')
  }
  return percent === '%' ? { percent: value } : { records: value }
}

function oneOf<Word extends string>(text: string, words: readonly Word[]): Word {
  const word = words.find((known) => known === text)
  if (word === undefined) throw new InvalidArgumentError(`It must be one of ${words.join(', ')}.`)
  return word
}
