import { OptionError } from '../../errors.ts'
import type { Records } from '../../records/records.ts'
import type { KeyPartReader } from '../key-parts.ts'
import { compile } from './compile.ts'
import { type Filter, resultsOf } from './filter.ts'
import { parse } from './parse.ts'
import { fieldPart, type JqQuery, keyValueOf, resultOf, SharedValue } from './query-function.ts'
import { type Query, QueryError } from './syntax.ts'

/**
 * Compiles a query in the language of jq 1.6, which the service has for dynamic partitioning (guide, "Dynamic partitioning in Amazon Data Firehose": `JQ-1.6`): for `batch({ key })`, whose parts are the members of the object that the query makes, and for `transform`.
 *
 * Compiled are paths, `?`, `//`, `|`, `,`, objects and lists, texts with queries in them, formats such as `@base64`, `if`, `and`, `or`, `try`, comparisons, arithmetic, and most functions of a value; not variables, `reduce`, `def`, assignments and `..`: see `jqWeb`.
 *
 * @throws OptionError for what is no query, and what is not compiled, with the position, counted from 0.
 * @example
 * batch({ key: jq('{customer: .customer_id, day: (.ts | strftime("%Y-%m-%d"))}') })
 */
export function jq(query: string): JqQuery {
  const { syntax, filter } = compiled(query)
  const { one } = filter
  const call = (value: unknown): unknown => (one === undefined ? resultOf(resultsOf(filter, value)) : one(value))
  return {
    query,
    look: 'json',
    meaning: 'result',
    takesContext: false,
    call,
    read: (records, index) => call(records.json(index)),
    keyParts: partsOf(syntax, filter),
  }
}

/** @throws OptionError */
function compiled(query: string): { readonly syntax: Query; readonly filter: Filter } {
  if (typeof query !== 'string') throw new OptionError('jq', 'jq takes a query as text')
  try {
    const syntax = parse(query)
    return { syntax, filter: compile(syntax) }
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    const hint = error.isBeyond ? '; jqWeb() takes it' : ''
    throw new OptionError('jq', `jq: ${error.message}, at position ${error.at} of ${query}${hint}`)
  }
}

/** Where a query makes one part, and is no path, it is called so, as that of a lone function. */
const onlyName = 'key'

function partsOf(syntax: Query, filter: Filter): Readonly<Record<string, KeyPartReader>> {
  const shared = new SharedValue()
  const part = (value: Query, compiled: Filter): KeyPartReader => {
    const path = pathOf(value)
    if (path !== undefined) return fieldPart(path)
    const { one } = compiled
    const read = (records: Records, index: number): unknown => {
      const input = shared.of(records, index)
      return keyValueOf(one === undefined ? resultsOf(compiled, input) : [one(input)])
    }
    return { read }
  }
  const names = syntax.kind === 'object' ? syntax.members.flatMap(({ key }) => textOf(key) ?? []) : []
  if (syntax.kind === 'object' && names.length > 0 && names.length === syntax.members.length) {
    return Object.fromEntries(syntax.members.map(({ value }, i) => [names[i], part(value, compile(value))]))
  }
  return { [pathOf(syntax)?.join('.') ?? onlyName]: part(syntax, filter) }
}

/** The names of a path of names alone, such as `.a.b`. */
function pathOf(query: Query): readonly string[] | undefined {
  if (query.kind !== 'index' || query.isOptional) return undefined
  const name = textOf(query.by)
  const before = query.of.kind === 'identity' ? [] : pathOf(query.of)
  return name === undefined || before === undefined ? undefined : [...before, name]
}

function textOf(query: Query): string | undefined {
  return query.kind === 'literal' && typeof query.value === 'string' ? query.value : undefined
}
