import { readTimestamp } from '../../time/read-time.ts'
import { compileTimeFormats } from '../../time/time-formats.ts'
import type { codecs } from './codecs.ts'
import type { Column } from './column-type.ts'
import type { RowShape } from './convert.ts'
import type { KeyRules } from './key-names.ts'

/** All that is needed to write groups of the same columns, as it can be sent to a thread. */
export interface GroupShape {
  readonly columns: readonly Column[]
  readonly rules: KeyRules
  readonly jsonKeys: ReadonlyMap<string, string>
  readonly timestampFormats: readonly string[]
  readonly compression: keyof typeof codecs
  readonly pageBytes: number
}

/** How the rows of a group are made. @throws Error where a form of times cannot be read */
export function rowShapeOf({ columns, rules, jsonKeys, timestampFormats }: GroupShape): RowShape {
  const readTime = timestampFormats.length === 0 ? readTimestamp : compileTimeFormats(timestampFormats)
  return { columns, rules, jsonKeys, readTime }
}
