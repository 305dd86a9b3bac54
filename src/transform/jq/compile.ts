/** Makes closures of queries, which run once a record. */

import { changed, type Filter, paired, resultsOf, single } from './filter.ts'
import { formats } from './formats.ts'
import { callOf } from './functions.ts'
import { index, operations, slice, valuesIn } from './operations.ts'
import { type Member, type Query, QueryError } from './syntax.ts'
import { isTruthy, JqError, type JsonObject, setMember, shown } from './values.ts'

/** @throws QueryError where jq does not know what stands there, or this compiler does not */
export function compile(query: Query): Filter {
  switch (query.kind) {
    case 'identity':
      return single((input) => input)
    case 'literal': {
      const { value } = query
      return single(() => value)
    }
    case 'index':
      return indexOf(query)
    case 'slice':
      return sliceOf(query)
    case 'each': {
      const values = changed(compile(query.of), query.isOptional ? optional(valuesIn) : valuesIn)
      return {
        each: (input, emit) =>
          values.each(input, (all) => {
            if (Array.isArray(all)) for (const one of all) emit(one)
          }),
      }
    }
    case 'pipe':
      return piped(compile(query.left), compile(query.right))
    case 'comma': {
      const [left, right] = [compile(query.left), compile(query.right)]
      return {
        each: (input, emit) => {
          left.each(input, emit)
          right.each(input, emit)
        },
      }
    }
    case 'alternative':
      return alternative(compile(query.left), compile(query.right))
    case 'and':
      return logical(compile(query.left), compile(query.right), false)
    case 'or':
      return logical(compile(query.left), compile(query.right), true)
    case 'operation':
      return paired(compile(query.left), compile(query.right), operations[query.operator])
    case 'negation':
      return changed(compile(query.of), (value) => {
        if (typeof value === 'number') return -value
        throw new JqError(`${shown(value)} cannot be negated`)
      })
    case 'array': {
      if (query.of === undefined) return single(() => [])
      const of = compile(query.of)
      return single((input) => resultsOf(of, input))
    }
    case 'object':
      return objectOf(query.members)
    case 'if':
      return condition(compile(query.condition), compile(query.then), compile(query.otherwise))
    case 'try':
      return tried(compile(query.of), query.otherwise && compile(query.otherwise))
    case 'text':
      return textOf(query.parts, formatOf(query.format ?? '@text', 0))
    case 'format':
      return single(formatOf(query.name, query.at))
    case 'call':
      return callOf(query, query.parameters.map(compile))
  }
}

function indexOf({ of, by, isOptional }: Query & { kind: 'index' }): Filter {
  const filter = compile(of)
  if (isOptional) return present(paired(filter, compile(by), optional(index)))
  if (by.kind !== 'literal') return paired(filter, compile(by), index)
  const { value } = by
  if (typeof value === 'string' && !(value in Object.prototype)) return changed(filter, (each) => named(each, value))
  return changed(filter, (each) => index(each, value))
}

/** A member whose name no object has by itself. */
function named(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return index(value, name)
  const object: JsonObject = Object(value)
  const found = object[name]
  return found === undefined ? null : found
}

function sliceOf({ of, from, to, isOptional }: Query & { kind: 'slice' }): Filter {
  const [start, end] = [from, to].map((query) => (query === undefined ? single(() => null) : compile(query)))
  const [first = single(() => null), last = first] = [start, end]
  const ends = paired(first, last, (one, other) => [one, other])
  const call = (value: unknown, [one, other]: readonly unknown[]): unknown => slice(value, one, other)
  const sliced = paired(compile(of), ends, (value, both) =>
    (isOptional ? optional(call) : call)(value, Array.isArray(both) ? both : []),
  )
  return isOptional ? present(sliced) : sliced
}

/** What stands for nothing, where that is asked for which there is not. */
const nothing = Symbol('nothing')

/** The same without an error. */
function optional<Given extends readonly unknown[]>(call: (...given: Given) => unknown): (...given: Given) => unknown {
  return (...given) => {
    try {
      return call(...given)
    } catch (error) {
      if (error instanceof JqError) return nothing
      throw error
    }
  }
}

function present(filter: Filter): Filter {
  return {
    each: (input, emit) =>
      filter.each(input, (value) => {
        if (value !== nothing) emit(value)
      }),
  }
}

function piped(left: Filter, right: Filter): Filter {
  const [one, other] = [left.one, right.one]
  if (one !== undefined) {
    return other === undefined
      ? { each: (input, emit) => right.each(one(input), emit) }
      : single((input) => other(one(input)))
  }
  return { each: (input, emit) => left.each(input, (value) => right.each(value, emit)) }
}

function alternative(left: Filter, right: Filter): Filter {
  const [one, other] = [left.one, right.one]
  if (one !== undefined && other !== undefined) {
    return single((input) => {
      const value = one(input)
      return isTruthy(value) ? value : other(input)
    })
  }
  return {
    each: (input, emit) => {
      let hasSome = false
      left.each(input, (value) => {
        if (!isTruthy(value)) return
        hasSome = true
        emit(value)
      })
      if (!hasSome) right.each(input, emit)
    },
  }
}

/** @param enough - What the first has to be so that the second is not asked. */
function logical(left: Filter, right: Filter, enough: boolean): Filter {
  const [one, other] = [left.one, right.one]
  if (one !== undefined && other !== undefined) {
    return single((input) => (isTruthy(one(input)) === enough ? enough : isTruthy(other(input))))
  }
  return {
    each: (input, emit) =>
      left.each(input, (value) => {
        if (isTruthy(value) === enough) emit(enough)
        else right.each(input, (second) => emit(isTruthy(second)))
      }),
  }
}

function condition(asked: Filter, then: Filter, otherwise: Filter): Filter {
  const [one, yes, no] = [asked.one, then.one, otherwise.one]
  if (one !== undefined && yes !== undefined && no !== undefined) {
    return single((input) => (isTruthy(one(input)) ? yes(input) : no(input)))
  }
  return {
    each: (input, emit) =>
      asked.each(input, (value) => (isTruthy(value) ? then.each(input, emit) : otherwise.each(input, emit))),
  }
}

/** As in jq 1.6, an error further down the pipe is caught here, too: what comes of a result is part of the attempt. */
function tried(of: Filter, otherwise: Filter | undefined): Filter {
  return {
    each: (input, emit) => {
      try {
        of.each(input, emit)
      } catch (error) {
        if (!(error instanceof JqError)) throw error
        otherwise?.each(error.value, emit)
      }
    },
  }
}

function objectOf(members: readonly Member[]): Filter {
  const compiled = members.map(({ key, value }) => ({ key: compile(key), value: compile(value) }))
  const values = compiled.flatMap(({ value }) => value.one ?? [])
  const names = members.flatMap(({ key }) => (isName(key) ? [key.value] : []))
  if (values.length === members.length && names.length === members.length) return namedObject(names, values)
  return {
    each: (input, emit) => {
      const made: [string, unknown][] = []
      const next = (i: number): void => {
        const member = compiled[i]
        if (member === undefined) {
          const object = {}
          for (const [name, value] of made) setMember(object, name, value)
          emit(object)
          return
        }
        member.key.each(input, (key) =>
          member.value.each(input, (value) => {
            made[i] = [nameOf(key), value]
            next(i + 1)
          }),
        )
      }
      next(0)
    },
  }
}

/** Whether a key is a literal name that has no meaning of its own in JavaScript. */
function isName(key: Query): key is Query & { readonly kind: 'literal'; readonly value: string } {
  return key.kind === 'literal' && typeof key.value === 'string' && key.value !== '__proto__'
}

/** An object whose names are known, with one value for each: what most queries for partition keys are. */
function namedObject(names: readonly string[], values: readonly ((input: unknown) => unknown)[]): Filter {
  return single((input) => {
    const object: JsonObject = {}
    for (let i = 0; i < names.length; i += 1) object[names[i] ?? ''] = values[i]?.(input)
    return object
  })
}

function nameOf(key: unknown): string {
  if (typeof key === 'string') return key
  throw new JqError(`Cannot use ${shown(key)} as object key`)
}

function textOf(parts: readonly (string | Query)[], format: (value: unknown) => string): Filter {
  const filters = parts.map((part) => (typeof part === 'string' ? single(() => part) : changed(compile(part), format)))
  const ones = filters.flatMap(({ one }) => one ?? [])
  if (ones.length < filters.length) {
    return filters.reduce((left, right) => paired(left, right, (first, second) => String(first) + String(second)))
  }
  return single((input) => {
    let text = ''
    for (const one of ones) text += String(one(input))
    return text
  })
}

function formatOf(name: string, at: number): (value: unknown) => string {
  const format = Object.hasOwn(formats, name) ? formats[name] : undefined
  if (format === undefined) throw new QueryError(`${name} is no format`, at)
  return format
}
