import { describe } from '../errors.ts'
import { type RecordFunction, type Stage, transform } from '../index.ts'
import { checkOptions, nearestOf } from '../options.ts'
import { Stage as StageClass } from '../stage/stage.ts'
import { FieldReader } from '../transform/field.ts'
import { type Behind, handingOn } from '../transform/handing-on.ts'
import { isRecordFunction, toRecordFunction } from '../transform/view.ts'
import { type Config, isObject, isPlain } from './config.ts'
import { editOf } from './edits.ts'
import { passOn } from './forms.ts'
import { functionKinds, loadFunction } from './load-module.ts'
import { type ReadyKind, readyKinds, readyMade } from './ready-made.ts'
import { UsageError } from './usage-error.ts'

/** A transform that can be made for several ways. */
export interface NamedTransform {
  /** What it is called in the tables of `bench`. */
  readonly name: string
  /** Whether its function gets values and text, and never a Buffer that it could keep. */
  readonly isByValue: boolean
  /** Whether nothing of the user's runs in it, so that it cannot hold up the program. */
  readonly isOurs: boolean
  make(): Stage
}

/** The same, while it is not known yet what stands behind it. */
interface LoneTransform extends Omit<NamedTransform, 'make'> {
  /** Its function, if it is one of the user's. */
  readonly function: Behind | undefined
  make(behind: Behind | undefined): Stage
}

/**
 * Reads a config's `transform`: a path, `{ filter | map | transform: path, …options }`, what `firehose()` takes, or a list of
 * these.
 *
 * @throws Error in words
 */
export async function makeTransforms(given: unknown): Promise<NamedTransform[]> {
  if (given === undefined) return []
  const list: readonly unknown[] = Array.isArray(given) ? given : [given]
  const made: LoneTransform[] = []
  for (const one of list) made.push(await makeTransform(one))
  return made.map(({ name, isByValue, isOurs, make }, i) => {
    const behind = made[i + 1]?.function
    return { name, isByValue, isOurs, make: () => make(behind) }
  })
}

async function makeTransform(given: unknown): Promise<LoneTransform> {
  const users = { isByValue: false, isOurs: false }
  if (given instanceof StageClass) return { ...users, name: 'transform', function: undefined, make: () => given }
  if (isRecordFunction(given) || isFunction(given)) {
    const fn = toRecordFunction('transform', given)
    return { ...users, name: nameOf(given), function: { fn }, make: (behind) => transform(handingOn(fn, behind)) }
  }
  const options = isPlain(given) ? given : { transform: given }
  const [ready] = readyKinds.filter((name) => Object.hasOwn(options, name))
  if (ready !== undefined) return makeReady(ready, options)
  if (Object.hasOwn(options, 'edit')) return makeEdit(options)
  const [kind, ...others] = functionKinds.filter((name) => Object.hasOwn(options, name))
  if (kind === undefined || others.length > 0) {
    const [name = ''] = Object.keys(options)
    const nearest = nearestOf(name, [...functionKinds, 'edit', ...readyKinds])
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
    throw new UsageError(`transform: each must have one of filter, map, transform, edit, lambda and blueprint${hint}`)
  }
  const { [kind]: what, ...rest } = options
  if (typeof what !== 'string' && !isRecordFunction(what)) {
    throw new UsageError(`transform: ${kind} must be the path of a module, but came as ${describe(what)}`)
  }
  const fn: RecordFunction = typeof what === 'string' ? await loadFunction(kind, what) : what
  checkOptions('transform', rest, transformFields)
  const make = (behind: Behind | undefined): Stage => transform(handingOn(fn, behind), passOn(rest))
  // Made once for nothing: its options are checked when it is made.
  make(undefined).destroy()
  const isByValue = fn.look === 'json' || fn.look === 'text' || fn.look instanceof FieldReader
  const name = typeof what === 'string' ? `${kind} ${what}` : kind
  return { name, isByValue, isOurs: false, function: { fn, retry: rest.retry }, make }
}

function makeEdit({ edit: given, ...rest }: Config): LoneTransform {
  const fn = editOf(given)
  checkOptions('transform', rest, transformFields)
  const make = (): Stage => transform(fn, passOn(rest))
  make().destroy()
  // A regular expression may try very many ways to match.
  const isPlainEdit = !isObject(given) || isTexts(given.where)
  return { name: 'edit', isByValue: true, isOurs: isPlainEdit, function: undefined, make }
}

async function makeReady(kind: ReadyKind, options: Config): Promise<LoneTransform> {
  const { [kind]: what, ...rest } = options
  if (typeof what !== 'string' || functionKinds.some((name) => Object.hasOwn(rest, name))) {
    throw new UsageError(
      `transform: ${kind} must be ${kind === 'lambda' ? 'the path of a module' : 'a name'}, and stand alone`,
    )
  }
  const make = await readyMade(kind, what, rest)
  const isOurs = kind === 'blueprint'
  return { name: `${kind} ${what}`, isByValue: isOurs, isOurs, function: undefined, make }
}

/** What may stand beside the function; the library says what each may be. */
const known = { expected: 'an option of transform()', accepts: () => true }
const transformFields = { concurrency: known, onError: known, retry: known, timeout: known }

function nameOf(given: object): string {
  return 'name' in given && typeof given.name === 'string' && given.name !== ''
    ? `transform ${given.name}`
    : 'transform'
}

/** Whether conditions are such text as needs no function and no regular expression. */
function isTexts(where: unknown): boolean {
  const conditions: readonly unknown[] = Array.isArray(where) ? where : [where]
  return conditions.every((one) => one === undefined || (typeof one === 'string' && !one.includes('~')))
}

function isFunction(value: unknown): value is (record: Buffer) => never {
  return typeof value === 'function'
}
