import { describe, OptionError } from '../../errors.ts'
import { expecting, type Fields } from '../../options.ts'
import type { FieldPath } from '../field.ts'
import type { Context, Reader } from '../view.ts'
import type { EditComparison, EditTest } from './conditions.ts'

/**
 * What a member is set to: a value of JSON; a `field(…)` of the record that came, whose bytes are copied as they stand; `metadata(…)`; or
 * a function of the record's context. Where a field is missing, or a function answers `undefined`, nothing is set.
 */
export type EditValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly unknown[]
  | Reader
  | ((context: Context) => unknown)
  | { readonly [member: string]: unknown }

/** Options of {@link edit}. Each path is that of a `field(…)`; all paths are those of the record as it came. */
export interface EditOptions {
  /**
   * Which records stay; the others are dropped. A condition as text, or several that must all hold: `level != debug`, `status >= 500`,
   * `path ~ ^/api/` (a regular expression), `user` and `!user` (there is such a field, or none). The operators are `=` `!=` `<` `<=` `>` `>=` `~` `!~`;
   * a value is JSON where it is that, and text where not, and a list of JSON means one of it. Or an object of paths with a value each, a list of
   * values, or a function of the field's value that returns `true` or `false`. Default: all records stay.
   */
  readonly where?: string | readonly string[] | Readonly<Record<string, EditComparison | EditTest>> | undefined
  /**
   * Members that become another value: in its place where there is one, and at the end of its object where there is none. Objects on
   * the way that are missing are made; a record with something else on the way fails. Default: none.
   */
  readonly set?: Readonly<Record<string, EditValue>> | undefined
  /** Members that get another name, by path; they stay where they are, and a member that had the name goes. Default: none. */
  readonly rename?: Readonly<Record<string, string>> | undefined
  /** Members that go. Default: none. */
  readonly remove?: string | readonly FieldPath[] | undefined
  /** Members that stay, beside those that are set or renamed; all others go. Default: all. */
  readonly keep?: string | readonly FieldPath[] | undefined
}

const isPaths = (value: unknown): boolean => typeof value === 'string' || (Array.isArray(value) && value.length > 0)
const isNamed = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
const path = { type: 'string', minLength: 1 }
const paths = { anyOf: [path, { type: 'array', items: path, minItems: 1 }] }

/** The table of the options of {@link edit}. */
export const editFields = {
  where: {
    ...expecting(
      "a condition such as 'level != debug', a list of conditions, or an object of paths with a value or a function each",
      (value) => isPaths(value) || isNamed(value),
      { anyOf: [...paths.anyOf, { type: 'object', minProperties: 1 }] },
    ),
    about: 'Which records stay: all conditions must hold.',
  },
  set: {
    ...expecting('an object of paths with a value each', isNamed, { type: 'object', minProperties: 1 }),
    about: 'What members become, by path.',
  },
  rename: {
    ...expecting('an object of paths with a new name each', isNamed, {
      type: 'object',
      minProperties: 1,
      additionalProperties: path,
    }),
    about: 'What members are called from then on, by path.',
  },
  remove: { ...expecting('a path, or a list of paths', isPaths, paths), about: 'Members that go.' },
  keep: { ...expecting('a path, or a list of paths', isPaths, paths), about: 'Members that stay; all others go.' },
} satisfies Fields<EditOptions>

/** An error for a part of an option. */
export function editMistake(option: keyof EditOptions, expected: string, came: unknown): OptionError {
  return new OptionError(`edit.${option}`, `edit: ${option}: ${expected}, but came as ${describe(came)}`)
}
