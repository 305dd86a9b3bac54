/**
 * How a function wants to see a record. A plain function is given its bytes; `text(fn)`, `json(fn)` and `field(…)` say otherwise,
 * and nothing is decoded or parsed for a function that did not ask.
 */
import { isUtf8 } from 'node:buffer'
import { describe, HosepipeError, OptionError } from '../errors.ts'
import { checkOptions, type Fields, oneOf } from '../options.ts'
import type { Metadata } from '../records/metadata.ts'
import type { Records } from '../records/records.ts'
import type { TransformResult } from './result.ts'

/** What a function gets beside the record. */
export interface Context {
  /** Wall-clock time at which the record arrived, in milliseconds. */
  readonly arrivedAt: number
  /** The record's number in the stream, from 0. */
  readonly index: number
  /** Aborted when the stream is destroyed: long work should stop then. */
  readonly signal: AbortSignal
  /** What the record's source knows of it: topic, offset, key; `undefined` where it says nothing. */
  readonly metadata: Metadata | undefined
}

/** Reads something out of a record: a parsed field, a function's answer. */
export interface Reader {
  /**
   * What is read of the record at `index`; `undefined` where there is nothing.
   *
   * @throws SyntaxError where the record had to be JSON and is not.
   */
  read(records: Records, index: number): unknown
}

/** How a record is looked at. */
export type Look = 'bytes' | 'text' | 'json' | Reader

/** What the function's answer means: a result as it stands, whether the record stays, or its one new value. */
export type Meaning = 'result' | 'keep' | 'value'

/** A function of a record, with how it looks at it and what its answer means. */
export interface RecordFunction extends Reader {
  /** How the record is looked at. */
  readonly look: Look
  /** What the function's answer means. */
  readonly meaning: Meaning
  /** Whether what it makes counts as what came in: it only takes records out of what they were wrapped in. Default `false`. */
  readonly unwraps?: boolean | undefined
  /** Whether a filter hands the values that it has parsed on to the function right behind it; see `handingOn`. Default: it parses for itself alone. */
  readonly handsOnValues?: boolean | undefined
  /** Whether it may take the context too: then each record has one of its own. So may a function without named parameters. */
  readonly takesContext: boolean
  /** The function itself, called with what it wants to see of a record. */
  call(record: unknown, context: Context): unknown
}

/** A plain function, which is given the record's bytes. */
export type BytesFunction<Result = TransformResult> = (record: Buffer, context: Context) => Result | Promise<Result>

const noSignal = new AbortController().signal

function recordFunction(
  look: Look,
  meaning: Meaning,
  call: RecordFunction['call'],
  takesContext = call.length !== 1,
): RecordFunction {
  return {
    look,
    meaning,
    takesContext,
    call,
    read: (records, index) =>
      call(see(look, records, index), {
        arrivedAt: records.arrivedAt,
        index,
        signal: noSignal,
        metadata: records.metadata?.at(index),
      }),
  }
}

/** What a function with this look sees of a record. */
export function see(look: Look, records: Records, index: number): unknown {
  switch (look) {
    case 'bytes':
      return records.at(index)
    case 'text':
      return records.text(index)
    case 'json':
      return records.json(index)
    default:
      return look.read(records, index)
  }
}

/** A method's parameter may be narrower than what it is called with: the look decides what comes. */
interface Narrow<Value> {
  call(record: Value, context: Context): unknown
}

function looking<Value>(name: string, look: Look, call: Narrow<Value>['call']): RecordFunction {
  if (typeof call !== 'function') throw new OptionError(name, `${name} takes a function, but came as ${describe(call)}`)
  const narrow: { call: Narrow<Value>['call'] } = { call }
  const wide: { call(record: unknown, context: Context): unknown } = narrow
  return recordFunction(look, 'result', wide.call)
}

/**
 * Gives the function the parsed value of each record. Values that a former transform made, or that were written as objects, are
 * not parsed again. A record that is not JSON fails with the code `Transform.NotJson`.
 *
 * @example
 * transform(json((event: Event) => (event.debug ? drop : { ...event, seen: true })))
 */
export function json<Value>(
  call: (value: Value, context: Context) => TransformResult | Promise<TransformResult>,
  options: TextOptions = {},
): RecordFunction {
  return looking('json', isStrict('json', options) ? checked((records, index) => records.json(index)) : 'json', call)
}

/** Gives the function the text of each record, decoded from UTF-8. */
export function text(
  call: (text: string, context: Context) => TransformResult | Promise<TransformResult>,
  options: TextOptions = {},
): RecordFunction {
  return looking('text', isStrict('text', options) ? checked((records, index) => records.text(index)) : 'text', call)
}

/** Options of {@link text} and {@link json}. */
export interface TextOptions {
  /**
   * What becomes of bytes that are not UTF-8 where text is made of them: `'replace'` puts U+FFFD in their places, in what is made of the record,
   * too; `'fail'` fails the record with the code `Transform.NotUtf8`, at the cost of a look at its bytes. Default `'replace'`.
   */
  readonly invalidUtf8?: 'replace' | 'fail' | undefined
}

const textFields: Fields<TextOptions> = { invalidUtf8: oneOf('replace', 'fail') }

function isStrict(name: string, options: TextOptions): boolean {
  checkOptions<TextOptions>(name, options, textFields)
  return options.invalidUtf8 === 'fail'
}

function checked(read: Reader['read']): Reader {
  return {
    read(records, index) {
      if (isUtf8(records.at(index))) return read(records, index)
      throw new HosepipeError('Transform.NotUtf8', 'the record is not UTF-8, of which its text could be made')
    },
  }
}

/** Makes a function of a record out of what `transform`, `filter`, `map` and `key` take. */
export function toRecordFunction(name: string, given: RecordFunction | BytesFunction): RecordFunction {
  return isRecordFunction(given) ? given : looking(name, 'bytes', given)
}

/** Whether something came from `json`, `text`, `filter` or `map`. */
export function isRecordFunction(given: unknown): given is RecordFunction {
  return typeof given === 'object' && given !== null && 'look' in given && 'meaning' in given && 'call' in given
}

/**
 * Keeps the records of which the predicate says so, and drops the others. What stays keeps its original bytes: nothing is
 * serialised, and runs of neighbours stay views of the chunk that they came in. An answer of `undefined` fails the record,
 * because it would be a forgotten `return`.
 *
 * @param predicate - A function of the bytes, or `json(fn)`, `text(fn)`; with a `field(…)` first, a function of that value.
 * @example
 * transform(filter(json((event: Event) => event.level !== 'debug')))
 * transform(filter(field('level'), (level) => level !== 'debug'))
 */
export function filter(predicate: RecordFunction | BytesFunction): RecordFunction
export function filter<Value>(
  reader: Reader,
  predicate: (value: Value, context: Context) => boolean | Promise<boolean>,
): RecordFunction
export function filter<Value>(
  first: RecordFunction | BytesFunction | Reader,
  predicate?: (value: Value, context: Context) => boolean | Promise<boolean>,
): RecordFunction {
  if (predicate !== undefined) return { ...looking('filter', asReader(first), predicate), meaning: 'keep' }
  if (typeof first !== 'function' && !isRecordFunction(first)) {
    throw new OptionError('filter', `filter takes a predicate, but came as ${describe(first)}`)
  }
  refuseEdit('filter', first)
  return { ...toRecordFunction('filter', first), meaning: 'keep' }
}

/**
 * Makes one new record of each. Unlike a plain function's answer it always is the record's value: `drop` and `several` mean
 * nothing here, and a promise is waited for.
 */
export function map(call: RecordFunction | BytesFunction): RecordFunction {
  refuseEdit('map', call)
  return { ...toRecordFunction('map', call), meaning: 'value' }
}

/** What changes whole blocks says itself what becomes of a record: its answer is neither a verdict nor a value. */
function refuseEdit(name: string, given: object): void {
  if (!('through' in given)) return
  throw new OptionError(name, `${name} takes a function, but came as edit(…), which goes into transform(…) by itself`)
}

function asReader(given: unknown): Reader {
  if (isReader(given)) return given
  throw new OptionError(
    'filter',
    `filter takes a field(…) first when a predicate follows, but it came as ${describe(given)}`,
  )
}

/** Whether something reads something out of a record: `field(…)`, `metadata(…)`, or a function of a record. */
export function isReader(given: unknown): given is Reader {
  return typeof given === 'object' && given !== null && 'read' in given && typeof given.read === 'function'
}
