/** The commands: what the command line says, as calls of the functions beside this file. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { Discard } from '../deliver/backup/backup.ts'
import { openDestinations } from '../deliver/open.ts'
import { toDestination } from '../deliver/to-destination.ts'
import { manifestFile } from '../own-files.ts'
import { filesBelow } from '../sources/paths.ts'
import { type Config, isObject, readConfig } from './config.ts'
import { addFlags, type Flags, spelledOut, withFlags } from './flags.ts'
import { help } from './help.ts'
import { listInputs } from './inputs.ts'
import { forReplay, refuseInside } from './replay.ts'
import { areManifests, replayManifestsOf } from './replay-manifests.ts'
import { type RunControl, type RunOptions, run } from './run.ts'
import { makeSetup, type Setup } from './setup.ts'
import { isStreamAddress } from './stream-inputs.ts'
import { UsageError } from './usage-error.ts'

const defaultGrace = 30_000

/**
 * Does what the words of a command line say.
 *
 * @param argv - The words behind the program's name.
 * @param control - Lets others stop what runs.
 * @returns The exit code.
 * @throws UsageError, or an error of the library, in words for the user.
 */
export async function execute(argv: readonly string[], control: RunControl): Promise<number> {
  let exitCode = 0
  const program = new Command('hosepipe')
  const flags = addFlags(program)
  const doing = (work: () => Promise<number>) => async (): Promise<void> => {
    exitCode = await work()
  }
  program
    .argument('[files...]')
    .version(version())
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'hosepipe: ')) })
    .showHelpAfterError('hosepipe --help shows what there is')
    .helpCommand('help')
    .action((files: string[]) => doing(() => deliverFiles(files, flags, control))())
  program.command('replay <dirs...>').action((dirs: string[]) => doing(() => replay(dirs, flags, control))())
  program.command('check [config]').action((path?: string) => doing(() => check(path, flags, control))())
  program.command('serve [config]').action((path?: string) => doing(() => serveStreams(path, flags, control))())
  program.command('bench <file>').action((file: string) => doing(() => benchFile(file, flags))())
  for (const command of [program, ...program.commands]) {
    command.copyInheritedSettings(program)
    command.helpInformation = () => help
  }
  try {
    await program.parseAsync(spelledOut(argv), { from: 'user' })
  } catch (error) {
    // The parser has printed what is wrong; `--help` and `--version` end this way too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1
    throw error
  }
  return exitCode
}

async function deliverFiles(files: readonly string[], flags: Flags, control: RunControl): Promise<number> {
  const config = await configOf(flags)
  const inputs = await listInputs(inputsOf(files, config), flags.keepGoing)
  const [first] = inputs
  if (first !== undefined && 'begin' in first && config.split !== undefined) {
    throw new UsageError(`split is for bytes: records of ${first.name} come as they are`)
  }
  const setup = await setupOf(config, control)
  if (inputs.some(({ name }) => name === 'stdin') && process.stdin.isTTY) {
    process.stderr.write('hosepipe: reading from the terminal; Ctrl-D ends it\n')
  }
  refuse('delivering', flags, ['connect'])
  await openAll(setup)
  return run(setup, inputs, runOptions(flags), control)
}

/** Files, or the stream that the config names. */
function inputsOf(files: readonly string[], { source }: Config): readonly string[] {
  if (source === undefined) return files
  if (typeof source !== 'string' || !isStreamAddress(source)) {
    throw new UsageError(
      'source must be the address of a stream, as kafka://broker:9092/topic?group=name, or files are given as arguments',
    )
  }
  if (files.length > 0) throw new UsageError(`source is ${source.split('?')[0]}, so no files can be given beside it`)
  return [source]
}

async function replay(dirs: readonly string[], flags: Flags, control: RunControl): Promise<number> {
  refuse('replay', flags, ['split', 'connect'])
  const config = await configOf(flags)
  for (const name of ['to', 'backup', 'sourceBackup']) {
    for (const target of [config[name]].flat()) refuseInside(dirs, name, isObject(target) ? target.url : target)
  }
  const files = await filesBelow(dirs.filter((dir) => !/^s3:/i.test(dir)))
  if (await areManifests(dirs, files, config.to)) return replayManifestsOf(dirs, config, control)
  const setup = forReplay(await setupOf(config, control))
  if (files.length === 0) {
    process.stderr.write(`hosepipe: there is nothing to send again in ${dirs.join(', ')}\n`)
    return 0
  }
  await openAll(setup)
  return run(setup, await listInputs(files, flags.keepGoing), runOptions(flags), control)
}

async function check(path: string | undefined, flags: Flags, control: RunControl): Promise<number> {
  if (path !== undefined && flags.config !== undefined) {
    throw new UsageError('check takes one config: give it by itself, or with --config')
  }
  const setup = await setupOf(await configOf(path === undefined ? flags : { ...flags, config: path }), control)
  if (flags.connect) await openAll(setup)
  const { shown } = setup
  process.stdout.write(`${JSON.stringify(shown, undefined, 2)}\n`)
  return 0
}

async function serveStreams(path: string | undefined, flags: Flags, control: RunControl): Promise<number> {
  const { grace, config, to, key, batch, timestampFormats, functions, ...others } = flags
  refuse('serve', flags, keysOf(others))
  if ([to, key, timestampFormats, functions, Object.keys(batch)].some(({ length }) => length > 0)) {
    throw new UsageError(
      'serve takes a config, and --grace: what becomes of records stands in the configurations of streams',
    )
  }
  if (path !== undefined && config !== undefined) {
    throw new UsageError('serve takes one config: give it by itself, or with --config')
  }
  const { serve } = await import('./serve.ts')
  return serve(path ?? config, grace ?? defaultGrace, control)
}

async function benchFile(file: string, flags: Flags): Promise<number> {
  refuse('bench', flags, [
    'to',
    'backup',
    'sourceBackup',
    'prefix',
    'grace',
    'keepGoing',
    'maxFailed',
    'connect',
    'progress',
  ])
  const { to: _to, backup: _backup, sourceBackup: _sourceBackup, ...config } = await configOf(flags)
  const [input] = await listInputs([file])
  if (input === undefined || 'begin' in input || input.size === undefined) {
    throw new UsageError('bench needs a file, which it can read several times')
  }
  const { bench } = await import('./bench.ts')
  await bench(config, input, flags.report ?? 'text')
  return 0
}

async function configOf(flags: Flags): Promise<Config> {
  return withFlags(flags.config === undefined ? {} : await readConfig(flags.config), flags)
}

function setupOf(config: Config, control: RunControl): Promise<Setup> {
  return makeSetup(config, { output: { stream: process.stdout, onGone: () => control.stopNow() } })
}

function runOptions({
  grace = defaultGrace,
  keepGoing = false,
  maxFailed,
  progress,
  report = 'text',
}: Flags): RunOptions {
  return { grace, keepGoing, maxFailed, progress: progress ?? (process.stderr.isTTY ? 'bar' : 'none'), report }
}

/** Asks every destination whether it can be used, before the first byte is read. */
async function openAll({ targets, backup, sourceBackup }: Setup): Promise<void> {
  const backupTo = backup === undefined || backup instanceof Discard ? undefined : toDestination('backup', backup)
  const [first, ...others] = targets
  const more = Object.fromEntries(others.map(({ name, to }) => [`to ${name}`, to]))
  await openDestinations({ to: first?.to, ...more, backup: backupTo, sourceBackup: sourceBackup?.destination })
}

/** Flags that mean nothing for a command are refused rather than ignored. */
function refuse(command: string, flags: Flags, names: readonly (keyof Flags)[]): void {
  const given = names.filter((name) => [flags[name]].flat().some((value) => value !== undefined))
  if (given.length === 0) return
  const words = given.map((name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`)
  throw new UsageError(`${command} does not take ${words.join(', ')}`)
}

function keysOf<Kind extends object>(value: Kind): (keyof Kind)[] {
  const names: string[] = Object.keys(value)
  return names.filter((name): name is Extract<keyof Kind, string> => name in value)
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(manifestFile(), 'utf8'))
  return isObject(manifest) ? String(manifest.version) : ''
}
