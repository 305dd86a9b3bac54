/** Functions that are written on the command line: `--filter 'r => r.status >= 500'`. */
import { compileFunction } from 'node:vm'
import { drop, fail, several } from '../index.ts'
import { UsageError, wordsOf } from './usage-error.ts'

/** What such a function may name beside the language's own: what a transform answers with. */
const known = { drop, fail, several }

/** Whether a text is a function and no path: it begins as an arrow function does, or with `function`. */
export function isInline(text: string): boolean {
  return /^\s*(?:async\b\s*)?(?:\([^)]*\)|[\p{L}_$][\w$]*)\s*=>|^\s*(?:async\s+)?function\b[\s*\w$]*\(/u.test(text)
}

/**
 * Makes a function of its text.
 *
 * @throws UsageError when it is none.
 */
export function inlineFunction(text: string): unknown {
  try {
    const make = compileFunction(`return (${text}\n)`, Object.keys(known), { filename: 'command line' })
    return make(...Object.values(known))
  } catch (error) {
    throw new UsageError(`${text} is no function: ${wordsOf(error)}`, { cause: error })
  }
}
