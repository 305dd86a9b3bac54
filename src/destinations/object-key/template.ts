/**
 * Prefixes with expressions in them: `logs/!{timestamp:yyyy}/` is a literal, an expression and a literal. The language is that of
 * the service: guide, "Custom prefixes for Amazon S3 objects".
 */
import { randomInt } from 'node:crypto'
import { describe, HosepipeError, OptionError, toError } from '../../errors.ts'
import { nearestOf } from '../../options.ts'
import type { Evaluate } from './key-facts.ts'
import { misspeltLiteral, misspeltPattern } from './misspelt.ts'
import { ownName, ownNames } from './own-names.ts'
import { compilePattern } from './timestamp.ts'

/** A template, and what is needed to compile it. */
export interface Template {
  /** The stage, for messages: `file`. */
  readonly stage: string
  readonly option: 'prefix' | 'errorPrefix' | 'objectName' | 'index'
  readonly text: string
  readonly zone: string
  /** Makes a value that comes from records fit for a key. */
  readonly escapeValue: (value: string) => string
}

/** An expression as it stands in its template. */
interface Expression {
  readonly namespace: string
  readonly value: string
  /** Throws an error that names the option, the place of the expression, and what is wrong. */
  readonly refuse: (problem: string) => never
}

const opening = '!{'
const randomLength = 11
const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

const namespaces: Readonly<Record<string, (expression: Expression, template: Template) => Evaluate>> = {
  timestamp,
  firehose,
  hosepipe,
  partitionKey,
  partitionKeyFromQuery: partitionKey,
  partitionKeyFromLambda: partitionKey,
}

/** The names of the partition keys in a template. */
export function partitionKeysIn(text: string): readonly string[] {
  return Array.from(text.matchAll(/!\{partitionKey\w*:([^}]+)\}/g), ([, found = '']) => found)
}

/** Whether there is any expression in a template; one that is not closed counts. */
export const hasExpression = (text: string): boolean => text.includes(opening)

/**
 * Compiles a template.
 *
 * @throws OptionError that names the place of what it cannot read.
 */
export function compileTemplate(template: Template): Evaluate {
  const { text } = template
  const pieces: Evaluate[] = []
  let at = 0
  for (let open = text.indexOf(opening); open !== -1; open = text.indexOf(opening, at)) {
    if (open > at) pieces.push(literal(template, at, open))
    const close = text.indexOf('}', open)
    at = close === -1 ? text.length : close + 1
    pieces.push(compileExpression(template, open, close))
  }
  if (at < text.length) pieces.push(literal(template, at, text.length))
  return (facts) => {
    let evaluated = ''
    for (const piece of pieces) evaluated += piece(facts)
    return evaluated
  }
}

function literal({ stage, option, text }: Template, from: number, to: number): Evaluate {
  const piece = text.slice(from, to)
  const mistake = misspeltLiteral(piece)
  if (mistake !== undefined) throw new OptionError(`${stage}.${option}`, `${stage}: ${option}: ${mistake}`)
  return () => piece
}

function compileExpression(template: Template, open: number, close: number): Evaluate {
  const { stage, option, text } = template
  const source = text.slice(open, close === -1 ? text.length : close + 1)
  const refuse = (problem: string): never => {
    throw new OptionError(`${stage}.${option}`, `${stage}: ${option}, ${source} at character ${open + 1}: ${problem}`)
  }
  if (close === -1) return refuse('the expression is not closed by }')
  const inside = source.slice(opening.length, -1)
  if (hasExpression(inside)) return refuse('the expression is not closed by } before the next one begins')
  const colon = inside.indexOf(':')
  if (colon === -1) return refuse('an expression has the form !{namespace:value}')
  const [namespace, value] = [inside.slice(0, colon), inside.slice(colon + 1)]
  const compile = Object.hasOwn(namespaces, namespace) ? namespaces[namespace] : undefined
  if (compile === undefined) {
    const known = Object.keys(namespaces)
    return refuse(`there is no namespace ${describe(namespace)}; ${hint(namespace, known)}`)
  }
  return compile({ namespace, value, refuse }, template)
}

function timestamp({ value, refuse }: Expression, { zone }: Template): Evaluate {
  if (value === '') return refuse('the pattern is empty')
  const mistake = misspeltPattern(value)
  if (mistake !== undefined) return refuse(mistake)
  try {
    const print = compilePattern(value, zone)
    return ({ timestamp, oldestArrival }) => print(timestamp ?? oldestArrival)
  } catch (error) {
    return refuse(`the pattern cannot be used: ${toError(error).message}`)
  }
}

function firehose({ value, refuse }: Expression, { option, escapeValue }: Template): Evaluate {
  if (value === 'random-string') return randomString
  if (value !== 'error-output-type') {
    return refuse(`there is no firehose:${value}; ${hint(value, ['random-string', 'error-output-type'])}`)
  }
  if (option !== 'errorPrefix') return refuse('error-output-type can only stand in errorPrefix')
  return ({ outputType = '' }) => escapeValue(outputType)
}

function hosepipe({ value, refuse }: Expression, { option }: Template): Evaluate {
  const evaluate = ownName(value)
  if (evaluate === undefined) return refuse(`there is no hosepipe:${value}; ${hint(value, ownNames)}`)
  const isPlace = ['position', 'first', 'last'].includes(value)
  if (isPlace && option === 'errorPrefix') return refuse('positions can only stand in prefix and objectName')
  return evaluate
}

function partitionKey({ namespace, value, refuse }: Expression, { option, escapeValue }: Template): Evaluate {
  if (value === '') return refuse('the name of a partition key is missing')
  if (option === 'errorPrefix') return refuse('partition keys can only stand in prefix and objectName')
  return ({ partitionKeys }) => {
    const found = Object.hasOwn(partitionKeys, value) ? partitionKeys[value] : undefined
    if (found !== undefined) return escapeValue(found)
    const names = Object.keys(partitionKeys).join(', ')
    throw new HosepipeError(
      'Delivery.NoObjectKey',
      `no ${option === 'index' ? 'index' : 'object key'} can be named: the ${option} has !{${namespace}:${value}}, and the batch ${names === '' ? 'has no partition keys' : `has only the partition keys ${names}`}`,
    )
  }
}

function randomString(): string {
  let text = ''
  for (let i = 0; i < randomLength; i += 1) text += alphanumeric[randomInt(alphanumeric.length)]
  return text
}

function hint(word: string, known: readonly string[]): string {
  const nearest = nearestOf(word, known)
  return nearest === undefined ? `there are ${known.join(', ')}` : `did you mean ${nearest}?`
}
