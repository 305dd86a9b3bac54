/**
 * Makes of a config and flags what the library's stages are made of. Everything that is wrong is gathered, so that it can be told
 * at once.
 */
import { type BatchOptions, batchFields, batchLimits } from '../batch/batch-stage.ts'
import { compileKey } from '../batch/keys/key.ts'
import {
  backupBatchFields,
  concurrencyOf,
  type DeliverOptions,
  readDeliverOptions,
  timeoutOf,
} from '../deliver/deliver-options.ts'
import { checkPartitionKeys } from '../deliver/partition-keys.ts'
import { withPrefixTimes } from '../deliver/prefix-times.ts'
import { describe } from '../errors.ts'
import { batch, type Destination, type Discard, discard, type Splitter } from '../index.ts'
import { type Fields, mistakesIn, readOptions } from '../options.ts'
import { redact } from '../redact.ts'
import { retryFields } from '../retry/retry-options.ts'
import { type Config, isObject, isPlain } from './config.ts'
import { configFields, plainDeliverOptions } from './config-fields.ts'
import type { Opened } from './destinations/opened.ts'
import type { Stdout } from './destinations/stdout.ts'
import { openDestination } from './destinations/table.ts'
import { compressorOf, encoderOf, keyOf, passOn, splitterOf, timestampOf } from './forms.ts'
import { masked } from './mask.ts'
import { makeTransforms, type NamedTransform } from './transforms.ts'
import { UsageError, wordsOf } from './usage-error.ts'

/** What a run is made of. Stages are made anew for each way; destinations are one. */
export interface Setup {
  readonly splitter: Splitter
  readonly transforms: readonly NamedTransform[]
  /** Where the records go: to each of these, all of them. */
  readonly targets: readonly Target[]
  /** Where what fails goes. */
  readonly backup: DeliverOptions['backup']
  /** How attempts are made again. */
  readonly retry: DeliverOptions['retry']
  /** Where a copy of every record goes, and how it is gathered there. */
  readonly sourceBackup: Opened | undefined
  /** Whether objects go to standard output, so that nothing else may be written there. */
  readonly usesStdout: boolean
  /** Whether nothing of the user's can keep a Buffer, so that memory may be read into again when its records have ended. */
  readonly reuse: boolean
  /** The options as they were understood, defaults filled in and secrets hidden. */
  readonly shown: object
}

/** A destination, and how records are gathered for it and delivered. */
export interface Target {
  /** What it is called in the account. */
  readonly name: string
  readonly to: Destination
  readonly batch: BatchOptions
  readonly delivery: DeliverOptions
}

/** What the setup needs to know of its surroundings. */
export interface SetupShell {
  readonly output: Stdout
  /** Taken instead of the config's `to`, by commands that deliver to nothing. */
  readonly to?: Destination | undefined
}

/** All that is wrong with a config. */
export class ConfigError extends UsageError {
  /** One sentence for each mistake. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/**
 * Reads a config, opens its destinations and loads its functions.
 *
 * @throws ConfigError with everything that is wrong.
 */
export async function makeSetup(config: Config, shell: SetupShell): Promise<Setup> {
  const problems: string[] = []
  /** The value, or a problem noted. */
  async function take<T>(read: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await read()
    } catch (error) {
      problems.push(wordsOf(error))
      return undefined
    }
  }
  /** Options of a stage. Where some are wrong all of them are noted, and none is taken. */
  async function section(name: string, given: unknown, fields: Fields<object>): Promise<Config | undefined> {
    const options = await take(() => optionsOf(name, given))
    const mistakes = options === undefined ? [] : mistakesIn(name, options, fields)
    problems.push(...mistakes.map(wordsOf))
    return mistakes.length === 0 ? options : undefined
  }

  const mistakes = mistakesIn('config', config, configFields)
  problems.push(...mistakes.map(wordsOf))
  const mistaken = new Set(mistakes.map(({ option }) => option.replace('config.', '')))
  const splitter = await take(() => splitterOf(config.split))
  const transforms = await take(() => makeTransforms(config.transform))
  const encode = await take(() => (config.encode === undefined ? undefined : encoderOf(config.encode)))
  const compress = await take(() => (config.compress === undefined ? undefined : compressorOf(config.compress)))
  const open = (name: string, given = config[name]) => take(() => openOption(name, given, shell.output))
  const opened = shell.to === undefined ? await openTargets() : [{ name: 'to', destination: shell.to }]
  const backup = config.backup === 'discard' ? discard() : await takeBackup()
  const sourceBackup = config.sourceBackup === undefined ? undefined : await open('sourceBackup')

  async function takeBackup(): Promise<Opened | Discard | undefined> {
    return config.backup === undefined ? undefined : open('backup')
  }

  async function openTargets(): Promise<readonly Named[]> {
    const { to } = config
    if (!Array.isArray(to)) return named(to, await open('to'), [])
    if (to.length === 0) problems.push('to must be a destination, or a list of them, but came as an empty list')
    const all: Named[] = []
    for (const [i, one] of to.entries()) all.push(...named(one, await open(`to[${i}]`, one), all))
    return all
  }

  const { key, timestampFrom, ...bounds } = (await take(() => optionsOf('batch', config.batch))) ?? {}
  const limits = await section('batch', bounds, batchFields)
  const apart = await take(async () => present({ key: await keyOf(key), timestampFrom: timestampOf(timestampFrom) }))
  await take(() => {
    if (sourceBackup !== undefined) checkPartitionKeys('sourceBackup', sourceBackup.destination, [])
  })
  const retry = config.retry === false ? false : await section('retry', config.retry, retryFields)
  const backupBatch = await section('backupBatch', config.backupBatch, backupBatchFields)
  const plain = plainDeliverOptions.flatMap((name) => (mistaken.has(name) ? [] : [[name, config[name]]]))
  const failedTo = backup !== undefined && 'destination' in backup ? backup.destination : backup
  const targets: Target[] = []
  // Without any, the other options are looked at all the same.
  for (const to of opened.length === 0 ? [{ name: 'to', destination: nowhere }] : opened)
    targets.push(await targetOf(to))

  async function targetOf({ name, ...to }: Named): Promise<Target> {
    const { destination } = to
    const isCompressed = (compress ?? destination.compress) !== undefined
    const gathered: BatchOptions = passOn({ ...gathering(to, isCompressed), ...limits, ...apart })
    const batching = (await take(() => withPrefixTimes(gathered, destination))) ?? gathered
    await take(() => {
      batch(batching).destroy()
      checkPartitionKeys(
        Array.isArray(config.to) ? `to ${name}` : 'to',
        destination,
        batching.key === undefined ? [] : compileKey(batching.key).names,
      )
    })
    const isPatient = to.isPatient || (backup !== undefined && 'isPatient' in backup && backup.isPatient)
    const unchecked = {
      ...(isPatient && { timeout: longest }),
      ...present({
        encode,
        compress,
        ...Object.fromEntries(plain),
        ...(to.isStdout && { concurrency: 1 }),
        retry,
        backupBatch,
        backup: failedTo,
      }),
    }
    const delivery: DeliverOptions = passOn(unchecked)
    await take(() => readDeliverOptions(delivery))
    return { name, to: destination, batch: batching, delivery }
  }

  const onStdout = [...opened, backup, sourceBackup].filter((one) => one && 'isStdout' in one && one.isStdout)
  if (onStdout.length > 1) problems.push('only one of to, backup and sourceBackup can be - (standard output)')

  const [first] = targets
  if (problems.length > 0 || splitter === undefined || transforms === undefined || first === undefined) {
    throw new ConfigError([...new Set(problems)])
  }
  const shown = {
    ...config,
    batch: present({
      ...batchLimits(first.batch),
      nextBorder: undefined,
      closeAt: first.batch.closeAt,
      ...whatTellsApart(first.batch, config),
    }),
    concurrency: concurrencyOf(first.delivery, first.to),
    timeout: timeoutOf({ timeout: readDeliverOptions(first.delivery).timeout }, first.to),
    ...present({
      ...readDeliverOptions(first.delivery),
      encode: config.encode,
      compress: config.compress,
      backup: config.backup,
    }),
    retry: retry === false ? false : readOptions('retry', retry ?? {}, retryFields),
  }
  return {
    splitter,
    transforms,
    targets,
    backup: failedTo,
    retry: first.delivery.retry,
    sourceBackup,
    usesStdout: onStdout.length > 0,
    reuse:
      splitter.name === 'lines' &&
      transforms.every(({ isByValue }) => isByValue) &&
      typeof key !== 'function' &&
      !isFunctional(config.encode, 'encode') &&
      !isFunctional(config.compress, 'compress') &&
      ![...opened, backup, sourceBackup].some((one) => one && 'isForeign' in one && one.isForeign),
    shown: Object(masked(shown)),
  }
}

/** A destination that was opened, and what it is called in the account. */
interface Named extends Opened {
  readonly name: string
}

/** Stands for a destination that could not be opened. */
const nowhere: Destination = { name: 'to', send: async () => undefined }

/** Names a destination by its address; one whose address comes again by its number, too. */
function named(given: unknown, opened: Opened | undefined, before: readonly Named[]): Named[] {
  if (opened === undefined) return []
  const url = isPlain(given) ? given.url : given
  const address = typeof url === 'string' ? redact(url) : opened.destination.name
  const again = before.filter(({ name }) => name === address || name.startsWith(`${address} (`)).length
  return [{ ...opened, name: again === 0 ? address : `${address} (${again + 1})` }]
}

/** The longest time that a timer takes, for standard output that a person may be paging through. */
const longest = 2 ** 31 - 1

/** How records are gathered where the user does not say: as the destination wants it; compressed, a second long at least. */
function gathering(to: Opened, isCompressed: boolean): BatchOptions {
  if (to.batch === undefined || !isCompressed) return to.batch ?? {}
  return { ...to.batch, maxAge: Math.max(to.batch.maxAge, 1000) }
}

async function openOption(name: string, given: unknown, output: Stdout): Promise<Opened> {
  if (given === undefined) {
    throw new UsageError('it must be said where the records go: --to FOLDER, or --to - for standard output')
  }
  if (isDestination(given)) {
    const destination = typeof given === 'function' ? { name: given.name || 'send', send: given } : given
    return { destination, isForeign: true }
  }
  const { url, encode, compress, ...others } = isPlain(given) ? given : { url: given }
  if (typeof url !== 'string' || url === '') {
    throw new UsageError(`${name} must be a URL, a path or an object with one as "url", but came as ${describe(given)}`)
  }
  return openDestination(
    url,
    {
      ...others,
      ...(encode !== undefined && { encode: await encoderOf(encode) }),
      ...(compress !== undefined && { compress: compressorOf(compress) }),
    },
    output,
  )
}

/** What tells batches apart, as it was written, and what was made of it. */
function whatTellsApart({ timestampFrom }: BatchOptions, { batch: given }: Config): Config {
  if (!isObject(given)) return {}
  const from = isObject(given.timestampFrom) ? given.timestampFrom.from : given.timestampFrom
  return { key: given.key, timestampFrom: timestampFrom && { ...timestampFrom, from } }
}

function isDestination(value: unknown): value is Destination | Destination['send'] {
  return typeof value === 'function' || (isObject(value) && typeof value.send === 'function')
}

/** Whether an option is an object of the user's own, with code in it. */
function isFunctional(value: unknown, method: string): boolean {
  return isObject(value) && typeof value[method] === 'function'
}

function optionsOf(name: string, given: unknown): Config {
  if (given === undefined) return {}
  if (isObject(given)) return given
  throw new UsageError(`${name} must be an object of options, but came as ${describe(given)}`)
}

/** Without what is not given. */
function present(options: Config): Config {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
