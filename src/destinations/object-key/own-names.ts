/**
 * What stands in names beside what the service knows: `!{hosepipe:uuid}`. All of it is fit for a key as it is.
 */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Evaluate } from './key-facts.ts'
import { PositionNames, rangeOf } from './position-names.ts'

/** The same for all objects of this process, and for none of another. */
const run = randomUUID().slice(0, 8)
const counterDigits = 6

/** Where a prefix is tried out before there are records. */
const sample = 'x'

const makers = {
  uuid: () => () => randomUUID(),
  counter() {
    let next = 0
    return ({ runs }) => {
      if (runs === undefined) return sample
      const text = String(next).padStart(counterDigits, '0')
      next += 1
      return text
    }
  },
  run: () => () => run,
  host() {
    const host = hostname().replace(/[^\w.-]/g, '_')
    return () => host
  },
  position() {
    const names = new PositionNames()
    return ({ key, runs }) => (runs === undefined ? sample : names.nameOf({ key, runs }))
  },
  first:
    () =>
    ({ runs }) =>
      runs === undefined ? sample : rangeOf(runs).first,
  last:
    () =>
    ({ runs }) =>
      runs === undefined ? sample : rangeOf(runs).last,
} satisfies Readonly<Record<string, () => Evaluate>>

/** The names that there are. */
export const ownNames = Object.keys(makers)

/** Makes what one of the names stands for; `undefined` for a name that there is not. */
export function ownName(name: string): Evaluate | undefined {
  const known: Readonly<Record<string, () => Evaluate>> = makers
  return Object.hasOwn(known, name) ? known[name]?.() : undefined
}

/** Whether no two objects can have the same name by a template, also not those of another process. */
export function isUnique(template: string): boolean {
  const has = (expression: string): boolean => template.includes(`!{${expression}}`)
  if (has('hosepipe:uuid') || has('firehose:random-string') || has('hosepipe:position')) return true
  return has('hosepipe:counter') && has('hosepipe:run')
}
