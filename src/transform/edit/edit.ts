import { OptionError } from '../../errors.ts'
import { readOptions } from '../../options.ts'
import { FieldReader } from '../field.ts'
import { filter, type RecordFunction } from '../view.ts'
import { EditFunction } from './edit-function.ts'
import { type EditOptions, editFields } from './edit-options.ts'
import { planOf } from './plan.ts'

/**
 * For `transform`: drops records by their fields, and sets, renames and removes members, without parsing a record. What it does not touch keeps its bytes: digits,
 * escapes, white space and order. What comes out parses to what `json(fn)` would have made: of a name that comes twice the last one counts, and whatever happens to
 * a member happens to all that have its name. The whole of a record is checked to be JSON; one that is not fails with the code `Transform.NotJson`.
 *
 * @throws OptionError when there is nothing to do, a path is none, or two things are to happen to a member.
 * @example
 * transform(edit({ where: 'level != debug', set: { service: 'api' }, rename: { msg: 'message' }, remove: ['user.email'] }))
 */
export function edit(options: EditOptions): RecordFunction {
  readOptions<EditOptions, typeof editFields>('edit', options, editFields)
  if (Object.values(options).every((given) => given === undefined)) {
    throw new OptionError('edit', `edit: there is nothing to do; it takes ${Object.keys(editFields).join(', ')}`)
  }
  const plan = planOf(options)
  const [condition, another] = plan.conditions
  // What only reads one field keeps the bytes where they are.
  if (!plan.root.changes && condition !== undefined && another === undefined) {
    return filter(new FieldReader(condition.path, {}), condition.test)
  }
  return new EditFunction(plan)
}
