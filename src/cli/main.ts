#!/usr/bin/env node
/** The program `hosepipe`: what only asks what there is, is answered before anything else is loaded. */
import { readFileSync } from 'node:fs'
import { manifestFile } from '../own-files.ts'
import { help } from './help.ts'

const helpWords = ['--help', '-h', 'help']
const commands = ['replay', 'check', 'serve', 'bench']

const argv = process.argv.slice(2)
if (argv.some((word) => helpWords.includes(word)) && argv.every((word) => [...helpWords, ...commands].includes(word))) {
  process.stdout.write(help)
} else if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  const { version }: { readonly version: string } = JSON.parse(readFileSync(manifestFile(), 'utf8'))
  process.stdout.write(`${version}\n`)
} else {
  const { start } = await import('./start.ts')
  await start(argv)
}
