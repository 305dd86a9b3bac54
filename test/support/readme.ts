import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './modules.ts'

/** A block of TypeScript in README.md. */
export interface CodeBlock {
  /** The line in README.md on which the code begins. */
  readonly line: number
  readonly code: string
  /** Whether it says of itself that it can be run: its fence is marked `ts run`. */
  readonly runs: boolean
}

/** The blocks of TypeScript in README.md, in order. */
export function codeBlocks(): CodeBlock[] {
  const page = readFileSync(join(root, 'README.md'), 'utf8')
  return Array.from(page.matchAll(/^```ts( run)?\n(.*?)^```$/gms), ([, runs, code = ''], i) => {
    const at = [...page.matchAll(/^```ts( run)?\n/gm)][i]?.index ?? 0
    return { line: page.slice(0, at).split('\n').length + 1, code, runs: runs !== undefined }
  })
}
