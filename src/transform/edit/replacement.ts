import type { Records } from '../../records/records.ts'
import type { Context } from '../view.ts'

/**
 * What a member becomes: always the same text of JSON; the bytes of another field, as they stand; or what a function or a reader
 * says of the record, `undefined` where there is nothing to be set.
 */
export type Replacement =
  | { readonly kind: 'constant'; readonly json: Buffer }
  | { readonly kind: 'field'; readonly id: number; readonly otherwise: Buffer | undefined }
  | { readonly kind: 'made'; readonly make: Make }

/** Text of JSON, which is written as it stands: digits that a number would lose stay. */
export class JsonText {
  readonly text: string

  /** @throws SyntaxError where it is no JSON */
  constructor(text: string) {
    JSON.parse(text)
    // Newlines stand between its tokens alone, and would end a record.
    this.text = text.replaceAll(/[\n\r]/g, ' ')
  }

  /** Its value, for those who show it. */
  toJSON(): unknown {
    return JSON.parse(this.text)
  }
}

/** Says what a member becomes in the record at `index`. */
export type Make = (records: Records, index: number, context: Context) => unknown
