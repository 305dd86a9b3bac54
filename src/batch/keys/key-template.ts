import { OptionError } from '../../errors.ts'
import { namesIn } from '../../records/field-path.ts'
import { type FieldReader, field } from '../../transform/field.ts'

/** A template of a key, taken apart. */
export interface Template {
  readonly fields: readonly FieldReader[]
  /** The text before the first field, between the fields, and behind the last: one more than there are fields. */
  readonly texts: readonly string[]
  /** A character of each text between two fields. */
  readonly separators: string
}

/**
 * Takes a template apart: text with fields in braces, and doubled braces for single ones.
 *
 * @throws OptionError that names the position, counted from 0.
 */
export function parseTemplate(template: string): Template {
  const fields: FieldReader[] = []
  const texts: string[] = []
  let separators = ''
  let text = ''
  for (let at = 0; at < template.length; ) {
    const character = template.charAt(at)
    if (character !== '{' && character !== '}') {
      text += character
      at += 1
    } else if (template.charAt(at + 1) === character) {
      text += character
      at += 2
    } else if (character === '}') {
      throw bad(`there is a } without a { at position ${at}; a brace as text is written }}`)
    } else {
      if (fields.length > 0) separators += separatorOf(text, at)
      const close = template.indexOf('}', at)
      if (close < 0) throw bad(`the { at position ${at} is not closed; a brace as text is written {{`)
      fields.push(fieldAt(template.slice(at + 1, close), at))
      texts.push(text)
      text = ''
      at = close + 1
    }
  }
  texts.push(text)
  if (fields.length > 0) return { fields, texts, separators }
  const hint = /^[^{}\s]+$/.test(template) ? `; is it a field? Then write field('${template}') or '{${template}}'` : ''
  throw bad(`it has no field in braces, so all records would have the same key${hint}`)
}

/**
 * The character that tells where one field ends and the text behind it begins: it will be percent-encoded in the values, so it
 * must be none that the encoding itself is written with.
 */
function separatorOf(text: string, at: number): string {
  const found = /[^A-Za-z0-9%]/u.exec(text)?.[0]
  if (found !== undefined) return found
  throw bad(
    `before the { at position ${at} there must be a character that separates it from the field before: neither a letter, a digit nor %`,
  )
}

function fieldAt(path: string, at: number): FieldReader {
  if (!path.includes('{') && namesIn(path) !== undefined) return field(path)
  throw bad(`the field at position ${at} must be a name, or names with a dot between each two, but came as {${path}}`)
}

function bad(problem: string): OptionError {
  return new OptionError('batch.key', `batch: key is a template in which ${problem}`)
}
