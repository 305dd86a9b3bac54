import { randomUUID } from 'node:crypto'
import { OptionError, toError } from '../../errors.ts'
import { described, type Fields, matching, oneOf, option } from '../../options.ts'
import { type Escape, escapeBy } from './escape.ts'
import type { Evaluate, KeyFacts } from './key-facts.ts'
import { isUnique } from './own-names.ts'
import { compileTemplate, hasExpression } from './template.ts'
import { compilePattern, timeZoneOf } from './timestamp.ts'

/** What the keys of objects are made of: `<prefix><name>-<version>-<yyyy-MM-dd-HH-mm-ss>-<uuid><extension>`. */
export interface ObjectKeyOptions {
  /**
   * What keys begin with: text, and expressions of the form `!{namespace:value}` (guide, "Custom prefixes for Amazon S3 objects"):
   *
   * - `!{timestamp:yyyy/MM/dd}`: when the oldest record of the batch arrived, or its own time where `batch` has a `timestampFrom`, in a pattern of Java's `DateTimeFormatter`, in
   *   English (en-US: weeks begin on Sunday). The expression ends at the first `}`. Not available, and refused: `B` (periods of
   *   the day), `g` (Julian days), `v` (generic zone names), `z` but in UTC, `zzzz`, and numbers of more than 15 digits.
   * - `!{firehose:random-string}`: 11 letters and digits, new each time.
   * - `!{partitionKey:name}`: a part of the batch's key. The service's own `partitionKeyFromQuery` and `partitionKeyFromLambda`
   *   mean the same.
   *
   * Without any expression, `yyyy/MM/dd/HH/` is added, without a slash before it: `logs` makes `logs2018/08/27/10/…`. With any,
   * nothing is added. At most 1,024 characters. Default: `yyyy/MM/dd/HH/`.
   */
  readonly prefix?: string | undefined
  /**
   * What keys begin with when the destination is a backup. The same language, without partition keys, and with
   * `!{firehose:error-output-type}`: the kind of failure. Where there are expressions it must be one of them; where there are none,
   * the kind and the time are added: `errors/` makes `errors/processing-failed/2018/08/27/10/…`. At most 1,024 characters.
   *
   * Default: `prefix`, the kind and the time. Where `prefix` has expressions the service demands an `errorPrefix`; here it is the
   * kind and the time alone: `processing-failed/2018/08/27/10/…`.
   */
  readonly errorPrefix?: string | undefined
  /**
   * The whole name of an object, behind the prefix and without its extension, in the same language; beside what is said at `prefix`:
   *
   * - `!{hosepipe:uuid}`: a random UUID.
   * - `!{hosepipe:counter}`: 000000, 000001 and so on, from the first object of the destination; `!{hosepipe:run}`: eight digits that are the
   *   same for all objects of this process.
   * - `!{hosepipe:position}`: where the records came from; a replay of the same records in the same batches has the same name (see `keyFrom`
   *   of `s3`). `!{hosepipe:first}` and `!{hosepipe:last}`: where the first begins and the last ends, in bytes or as their source has it.
   * - `!{hosepipe:host}`: the name of the machine.
   *
   * It must be different for all objects, so it has a UUID, a random string, a position, or a counter and a run (one of them may stand in
   * `prefix`). Nothing is added to a `prefix` without expressions then. Objects of a backup are named as ever. At most 1,024 characters. Default:
   * `<name>-<version>-<yyyy-MM-dd-HH-mm-ss>-<uuid>`.
   */
  readonly objectName?: string | undefined
  /** The zone of all times in the key: an id of the tz database, `Europe/Berlin`. Default: `UTC`. */
  readonly timeZone?: string | undefined
  /** What stands for the name of the stream: 1–64 of `a-z A-Z 0-9 _ . -`. Default: `hosepipe`. */
  readonly name?: string | undefined
  /** What stands for the stream's version: 1–50 digits. Default: `1`. */
  readonly version?: string | undefined
  /**
   * How values of partition keys stand in a key. `'hive'`: percent-escaped as Hive does it, which Spark, Athena and DuckDB read back:
   * control characters, `" # % ' * / : < = > ? \ { [ ] ^ |`, a dot or space at the end, and names of devices in Windows. No value leaves
   * its partition, none is read back as another, and `file()` and `s3()` make the same of it. `'none'`: as they are, which the service
   * does; then `a/b` makes a folder, and with `file()` a record whose value is `..` fails. Default `'hive'`.
   */
  readonly escape?: Escape | undefined
  /**
   * What keys end in, instead of the extensions of format and compression: a dot and lower-case letters, digits or `! - _ . * ' ( )`,
   * at most 128 characters (`FileExtension` in the service). It changes neither format nor compression. Empty: as if not given.
   */
  readonly extension?: string | undefined
}

const template = matching('a string of at most 1024 characters', /^.{0,1024}$/su)

/** The fields of {@link ObjectKeyOptions}, for a destination's own table. */
export const objectKeyFields = {
  prefix: described(template, 'What names begin with: year=!{timestamp:yyyy}/'),
  errorPrefix: described(template, 'The same in a backup.'),
  objectName: described(
    matching('a string of 1 to 1024 characters', /^.{1,1024}$/su),
    'Names of objects, without prefix and extension: part-!{hosepipe:counter}-!{hosepipe:run}.',
  ),
  timeZone: option(matching('the id of a time zone, such as UTC or Europe/Berlin', /^[A-Za-z][\w/+-]*$/), {
    default: 'UTC',
    about: 'Of all times in names.',
  }),
  name: option(matching('1–64 of the characters a-z A-Z 0-9 _ . -', /^[a-zA-Z0-9_.-]{1,64}$/), {
    default: 'hosepipe',
    about: 'What names have in front of their version and time.',
  }),
  version: option(matching('a string of 1–50 digits', /^[0-9]{1,50}$/), {
    default: '1',
    about: 'What stands behind the name.',
  }),
  escape: option(oneOf('hive', 'none'), {
    default: 'hive',
    about: 'How values of partition keys stand in names: hive escapes what could lead out of a partition.',
  }),
  extension: described(
    matching(
      "a dot and at most 127 of the characters a-z 0-9 ! - _ . * ' ( )",
      /^$|^(?=.{1,128}$)\.[0-9a-z!\-_.*'()]+$/,
    ),
    'What names end in, instead of the extensions of format and compression.',
  ),
} satisfies Fields<ObjectKeyOptions>

/**
 * Makes the key of a batch.
 *
 * @param extension - What its format and compression end in.
 * @param identity - What tells the batch from all others, instead of the time and a random UUID, which are new each time. A prefix
 *   without expressions gets no time then.
 */
export type ObjectKey = (facts: KeyFacts, extension: string, identity?: string) => string

/** What a destination adds to the options. */
export interface KeyRules {
  /** The destination, for messages: `file`. */
  readonly stage: string
  /** Puts the evaluated prefix and the object's name together. Default: one behind the other. */
  readonly join?: ((prefix: string, name: string) => string) | undefined
}

const time = '!{timestamp:yyyy/MM/dd/HH}/'
const outputType = '!{firehose:error-output-type}'

/**
 * Makes what names the objects of a destination. The prefixes are compiled here, once.
 *
 * @returns What makes the key of a batch. It throws `Delivery.NoObjectKey` when the batch has not the partition keys.
 * @throws OptionError when a prefix or the time zone cannot be used; the options must have passed {@link objectKeyFields}.
 */
export function objectKeys(options: ObjectKeyOptions, rules: KeyRules): ObjectKey {
  const { prefix = '', errorPrefix = '', timeZone = objectKeyFields.timeZone.default } = options
  const { name = objectKeyFields.name.default, version = objectKeyFields.version.default } = options
  const escapeValue = escapeBy(options.escape ?? objectKeyFields.escape.default)
  const { stage, join = (before, after) => before + after } = rules
  const zone = zoneOption(stage, timeZone)
  const common = { stage, zone, escapeValue }
  const { objectName } = options
  const evaluate = compileTemplate({ ...common, option: 'prefix', text: objectName ? prefix : withTime(prefix) })
  const evaluateBare = compileTemplate({ ...common, option: 'prefix', text: prefix })
  const evaluateError = errorTemplate(common, prefix, errorPrefix)
  const printTime = compilePattern('yyyy-MM-dd-HH-mm-ss', zone)
  const ownName = objectName === undefined ? undefined : compileName(common, objectName, prefix)
  return (facts, extension, identity) => {
    if (ownName !== undefined && facts.outputType === undefined) {
      return join(evaluate(facts), ownName(facts) + (options.extension || extension))
    }
    const ordinary = identity === undefined ? evaluate : evaluateBare
    const before = facts.outputType === undefined ? ordinary(facts) : evaluateError(facts)
    const last = identity ?? `${printTime(facts.oldestArrival)}-${randomUUID()}`
    return join(before, `${name}-${version}-${last}${options.extension || extension}`)
  }
}

function withTime(prefix: string): string {
  return hasExpression(prefix) ? prefix : prefix + time
}

type Common = { readonly stage: string; readonly zone: string; readonly escapeValue: (value: string) => string }

function compileName(common: Common, objectName: string, prefix: string): Evaluate {
  const { stage } = common
  const evaluate = compileTemplate({ ...common, option: 'objectName', text: objectName })
  if (isUnique(prefix + objectName)) return evaluate
  throw new OptionError(
    `${stage}.objectName`,
    `${stage}: objectName must be different for all objects, by !{hosepipe:uuid}, !{hosepipe:position}, or !{hosepipe:counter} and !{hosepipe:run}, but has none of these`,
  )
}

function errorTemplate(common: Common, prefix: string, errorPrefix: string): Evaluate {
  const compile = (text: string): Evaluate => compileTemplate({ ...common, option: 'errorPrefix', text })
  if (!hasExpression(errorPrefix)) {
    const before = errorPrefix === '' && !hasExpression(prefix) ? prefix : errorPrefix
    return compile(`${before}${outputType}/${time}`)
  }
  const evaluate = compile(errorPrefix)
  if (errorPrefix.includes(outputType)) return evaluate
  const { stage } = common
  throw new OptionError(
    `${stage}.errorPrefix`,
    `${stage}: errorPrefix must contain ${outputType} when it has expressions, but came without it`,
  )
}

function zoneOption(stage: string, id: string): string {
  try {
    return timeZoneOf(id)
  } catch (error) {
    throw new OptionError(`${stage}.timeZone`, `${stage}: timeZone cannot be used: ${toError(error).message}`)
  }
}
