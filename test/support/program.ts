/** The program `hosepipe` as tests of the command line have it: real processes, in folders of their own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { text } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import type { Test } from 'tap'
import { transpile } from './transpiled.ts'

/** How a process ended, and what it said. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A process that runs. */
export interface Running {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves when standard error has said something like this; rejects when it ends before. */
  said(pattern: RegExp): Promise<void>
}

/** Starts a program in a folder; its standard input stays open. */
export function start(command: string, args: readonly string[], cwd: string, env: object = {}): Running {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...cleared, ...env } })
  let heard = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    heard += chunk
  })
  // What it does not read any more is its own business.
  child.stdin.on('error', () => undefined)
  const closed = once(child, 'close')
  const stdout = text(child.stdout)
  return {
    process: child,
    ended: (async () => {
      await closed
      return { code: child.exitCode, stdout: await stdout, stderr: heard }
    })(),
    async said(pattern) {
      while (!pattern.test(heard)) {
        if (child.exitCode !== null) throw new Error(`it ended without saying ${pattern}, but said: ${heard}`)
        await Promise.race([once(child.stderr, 'data'), closed])
      }
    },
  }
}

/** Loaders and settings of the test runner are not for the programs that are tested. */
const cleared = { NODE_OPTIONS: '', NODE_DEBUG: undefined, NODE_V8_COVERAGE: undefined }

/** The program, built in a folder, and ways to call it. */
export function program(home: string) {
  const main = transpile(home)
  const begin = (cwd: string, ...args: readonly string[]): Running => start(process.execPath, [main, ...args], cwd)
  return {
    main,
    /** Starts it; standard input stays open. */
    begin,
    /** A folder for one test. */
    folder(t: Test, contents: Readonly<Record<string, string | Buffer>> = {}): string {
      const dir = join(home, t.name.replace(/\W+/g, '-'))
      mkdirSync(dir)
      for (const [name, content] of Object.entries(contents)) {
        mkdirSync(dirname(join(dir, name)), { recursive: true })
        writeFileSync(join(dir, name), content)
      }
      return dir
    },
    /** Runs it with some input to its end. */
    async hosepipe(cwd: string, input: string | Buffer, ...args: readonly string[]): Promise<Ended> {
      const running = begin(cwd, ...args)
      running.process.stdin?.end(input)
      return running.ended
    },
    /** A command line for bash, in which `hosepipe` is the program. */
    async shell(cwd: string, script: string): Promise<Ended> {
      const hosepipe = `hosepipe() { "${process.execPath}" "${main}" "$@"; }`
      const running = start('bash', ['-c', `set -o pipefail; ${hosepipe}; ${script}`], cwd)
      running.process.stdin?.end()
      return running.ended
    },
  }
}

/** Why a test is skipped: the machine has not such a command. */
export function without(command: string): false | string {
  const { status } = spawnSync('sh', ['-c', `command -v ${command}`])
  return status !== 0 && `there is no ${command} on this machine`
}

/** The files below a folder, by their paths in it; hidden ones too. */
export function files(dir: string): string[] {
  if (!existsSync(dir)) return []
  const all = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  return all.map(({ parentPath, name }) => relative(dir, join(parentPath, name)))
}

/** The records in all files below a folder. A file that is being written has another name a moment later. */
export function records(dir: string): string[] {
  const written = files(dir).filter((path) => !path.endsWith('.tmp'))
  return written.flatMap((path) => {
    const bytes = readFileSync(join(dir, path))
    const content = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
    return content.split('\n').filter((line) => line !== '')
  })
}

/** What `--report=json` says. */
export interface Report {
  readonly exitCode: number
  readonly error: string | null
  readonly in: number
  readonly delivered: number
  readonly dropped: number
  readonly backedUp: number
  readonly pending: number
  readonly objects: number
  readonly bytesRead: number
  readonly undelivered: readonly { source: string; records: number; from: number; to: number }[]
  readonly unread: readonly { source: string; from: number | null; partialBytes: number }[]
  readonly byCode: Readonly<Record<string, { records: number; retries: number; message: string }>>
  readonly failedInputs: readonly { source: string; error: string }[]
}

/** Reads the account, and checks that it adds up. */
export function account(t: Test, line: string): Report {
  const report: Report = JSON.parse(line)
  t.equal(report.in, report.delivered + report.dropped + report.backedUp + report.pending, 'the account adds up')
  return report
}

/** Checks that a mistake was told in words. */
export function noStack(t: Test, { stderr }: Ended): void {
  t.notMatch(stderr, /^\s+at .*[:(]\d+/m, 'no stack trace')
}

/** Some records, as values and as text. */
export const events = Array.from({ length: 1000 }, (_, i) => {
  return { i, customer: `c${i % 4}`, level: i % 10 ? 'info' : 'debug' }
})
export const ndjson = `${events.map((event) => JSON.stringify(event)).join('\n')}\n`

/** Functions of a user's. */
export const modules = {
  'filter.js': "export default (event) => event.level !== 'debug'",
  'map.js': 'export default ({ i, customer }) => ({ i, customer, seen: true })',
  'odd.js': "export default (event) => { if (event.i % 2) throw new Error('it is odd'); return event }",
  'never.js': 'export default () => new Promise(() => setInterval(() => undefined, 1000))',
}
