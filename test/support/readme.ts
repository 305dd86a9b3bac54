import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './modules.ts'

/** A block of TypeScript in a page. */
export interface CodeBlock {
  /** The path of the page. */
  readonly page: string
  /** The line of the page on which the code begins. */
  readonly line: number
  readonly code: string
  /** Whether it says of itself that it can be run: its fence is marked `ts run`. */
  readonly runs: boolean
}

/** The pages that users read, by their paths. */
export function pages(): string[] {
  const beside = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  const top = readdirSync(root).filter((name) => /\.(?:md|txt)$/.test(name))
  const github = readdirSync(join(root, '.github')).filter((name) => name.endsWith('.md'))
  return [
    ...top,
    ...github.map((name) => join('.github', name)),
    ...beside.filter((path) => path.endsWith('.md')).map((path) => join('src', path)),
    'benchmarks/README.md',
  ]
}

export function textOf(page: string): string {
  return readFileSync(join(root, page), 'utf8')
}

/** The blocks of TypeScript in all pages, in order. */
export function codeBlocks(): CodeBlock[] {
  return pages().flatMap((page) => {
    const text = textOf(page)
    return Array.from(text.matchAll(/^```ts( run)?\n(.*?)^```$/gms), ({ 1: runs, 2: code = '', index }) => {
      return { page, line: text.slice(0, index).split('\n').length + 1, code, runs: runs !== undefined }
    })
  })
}
