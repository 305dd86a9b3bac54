#!/usr/bin/env node
/** The program `hosepipe`: what only asks what there is, is answered before anything else is loaded. */
import { readFileSync } from 'node:fs'
import { manifestFile } from '../own-files.ts'
import { help } from './help.ts'

const helpFlags = ['--help', '-h']
const commands = ['replay', 'check', 'serve', 'bench']

const argv = process.argv.slice(2)
const [first = '', second, ...others] = argv
const asksForHelp =
  others.length === 0 &&
  (second === undefined
    ? [...helpFlags, 'help'].includes(first)
    : commands.includes(first) && helpFlags.includes(second))
if (asksForHelp) {
  process.stdout.write(help)
} else if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  const { version }: { readonly version: string } = JSON.parse(readFileSync(manifestFile(), 'utf8'))
  process.stdout.write(`${version}\n`)
} else {
  const { start } = await import('./start.ts')
  await start(argv)
}
