/** jq itself, as WebAssembly, for queries that are not compiled. A call costs milliseconds, so the records of a run go together. */
import { HosepipeError, OptionError, toError } from '../../errors.ts'
import { expecting, type Fields, readOptions } from '../../options.ts'
import { importPeer } from '../../peer-packages.ts'
import type { Records } from '../../records/records.ts'
import type { Reader } from '../view.ts'
import { memberNamesOf } from './member-names.ts'
import { type JqQuery, keyValueOf, resultOf } from './query-function.ts'
import { JqError } from './values.ts'

/** Options of {@link jqWeb}. */
export interface JqWebOptions {
  /** The names of the members of the object that the query makes, for a key. Default: those that stand in it, or that it makes of `{}` or of `null`; `key`, where there are none. */
  readonly names?: readonly string[] | undefined
}

const fields = {
  names: expecting('a list of names', (value) => {
    return Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string' && name !== '')
  }),
} satisfies Fields<JqWebOptions>

/** What the package has. */
interface JqModule {
  raw(input: string, query: string, flags: readonly string[]): string
}

/** What becomes of a record: its results, or why there are none. */
type Outcome = readonly unknown[] | Error

/** These would read the records of others, or end the program. */
const strangers = /\b(?:inputs?|halt|halt_error|debug|stderr|input_filename|input_line_number|limit_input)\b/

/**
 * Has a query that `jq()` does not compile run by jq itself, in the package `jq-web`: the records of a run in one call, at some 10,000 to 25,000 records a second. It is jq 1.7, which writes some numbers as they came and not as 1.6 does.
 *
 * @throws OptionError for what is no query
 * @throws HosepipeError `Transform.NotLoaded` where the package is not installed.
 * @example
 * batch({ key: await jqWeb('{total: (reduce .items[] as $i (0; . + $i.n))}') })
 */
export async function jqWeb(query: string, options: JqWebOptions = {}): Promise<JqQuery> {
  readOptions('jqWeb', options, fields)
  if (typeof query !== 'string') throw new OptionError('jqWeb', 'jqWeb takes a query as text')
  if (strangers.test(query)) {
    throw new OptionError('jqWeb', `jqWeb: a query must not read or write anything but its record: ${query}`)
  }
  const run = runnerOf(await load(), query)
  const outcomes = new WeakMap<Records, readonly Outcome[]>()
  const outcomeOf = (records: Records, index: number): Outcome => {
    let all = outcomes.get(records)
    if (all === undefined) {
      all = run(Array.from({ length: records.length }, (_, i) => records.text(i)))
      outcomes.set(records, all)
    }
    const outcome = all[index] ?? []
    // The record is not JSON.
    if (outcome instanceof SyntaxError) throw outcome
    return outcome
  }
  const look: Reader = { read: outcomeOf }
  const call = (outcome: unknown): unknown => resultOf(resultsIn(outcome))
  return {
    query,
    look,
    meaning: 'result',
    takesContext: false,
    call,
    read: (records, index) => call(outcomeOf(records, index)),
    keyParts: Object.fromEntries(
      (options.names ?? memberNamesOf(query) ?? namesOf(run)).map((name, _, all) => [
        name,
        { read: (records, index) => partOf(resultsIn(outcomeOf(records, index)), name, all) },
      ]),
    ),
  }
}

/** @throws Error that the query has ended with for a record */
function resultsIn(outcome: unknown): readonly unknown[] {
  if (outcome instanceof Error) throw outcome
  return Array.isArray(outcome) ? outcome : []
}

const onlyName = 'key'

/** The member of an object that a query has made; or the whole, where it makes none. */
function partOf(results: readonly unknown[], name: string, names: readonly string[]): unknown {
  const value = keyValueOf(results)
  const isWhole = names.length === 1 && name === onlyName && (typeof value !== 'object' || value === null)
  if (isWhole) return value
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? keyValueOf([Reflect.get(value, name)])
    : undefined
}

/** The names of an object that the query makes of nothing. */
function namesOf(run: (texts: readonly string[]) => readonly Outcome[]): readonly string[] {
  for (const outcome of run(['{}', 'null'])) {
    const [first] = outcome instanceof Error ? [] : outcome
    if (typeof first === 'object' && first !== null && !Array.isArray(first)) {
      const names = Object.keys(first)
      if (names.length > 0) return names
    }
  }
  return [onlyName]
}

async function load(): Promise<JqModule> {
  try {
    const loaded: { readonly default: JqModule | Promise<JqModule> } = await importPeer('jq-web')
    return await loaded.default
  } catch (error) {
    const words = `jqWeb needs the package jq-web, which cannot be loaded: ${toError(error).message}. npm install jq-web`
    throw new HosepipeError('Transform.NotLoaded', words, { cause: error })
  }
}

/** @throws OptionError for what is no query */
function runnerOf(jq: JqModule, query: string): (texts: readonly string[]) => readonly Outcome[] {
  // One line for each record, whatever becomes of it.
  const whole = `try {ok: [${query}\n]} catch {error: (if type == "string" then . else tojson end)}`
  const run = (texts: readonly string[]): string[] => jq.raw(texts.join('\n'), whole, ['-c']).split('\n')
  try {
    run(['null'])
  } catch (error) {
    throw new OptionError('jqWeb', `jqWeb: this is no query: ${query}: ${toError(error).message}`)
  }
  return (texts) => {
    const asked = texts.map((text) => ({ text, problem: problemOf(text) }))
    const good = asked.flatMap(({ text, problem }) => (problem === undefined ? [text] : []))
    const lines = good.length === 0 ? [] : run(good).filter((line) => line !== '')
    if (lines.length !== good.length) {
      throw new TypeError(`jq has answered ${lines.length} lines for ${good.length} records`)
    }
    const answers = lines.values()
    return asked.map(({ problem }) => problem ?? answered(answers.next().value))
  }
}

/** What is no JSON would end the call for all. */
function problemOf(text: string): Error | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    return toError(error)
  }
}

function answered(line: string | undefined): Outcome {
  const { ok, error }: { ok?: readonly unknown[]; error?: string } = JSON.parse(line ?? '{}')
  return ok ?? new JqError(error ?? 'the query failed')
}
