import { Account } from '../../receipts/receipts.ts'
import { Records } from '../../records/records.ts'
import { release } from '../../records/words.ts'
import type { BlockRun, Odd } from '../block-run.ts'
import { drop } from '../result.ts'
import type { Context, RecordFunction } from '../view.ts'
import { EditedBlock } from './edited-block.ts'
import { Editor } from './editor.ts'
import type { Plan } from './plan.ts'

/** What `edit` makes: a function of a record's bytes, that can work through a whole block, too. */
export class EditFunction implements RecordFunction {
  readonly look = 'bytes'
  readonly meaning = 'result'
  readonly takesContext = false
  readonly #editor: Editor

  constructor(plan: Plan) {
    this.#editor = new Editor(plan)
  }

  /** Edits one record; what it becomes has memory of its own. An own property, as those of other functions are. */
  readonly call = (record: unknown, context: Context): unknown => {
    if (!(record instanceof Uint8Array)) throw new TypeError('edit() is called with the bytes of a record')
    const bytes = Buffer.from(record.buffer, record.byteOffset, record.length)
    const { arrivedAt, metadata } = context
    const from = { receipt: new Account().open(1, arrivedAt), arrivedAt, metadata: { at: () => metadata } }
    return this.#only(Records.spans(from, bytes, Uint32Array.of(0), Uint32Array.of(bytes.length)), 0, context)
  }

  /** The same of a record among others. */
  readonly read = (records: Records, index: number): unknown => {
    return this.call(records.at(index), {
      arrivedAt: records.arrivedAt,
      index,
      signal: new AbortController().signal,
      metadata: records.metadata?.at(index),
    })
  }

  /** Edits the records of a block from that at `from` on, up to the first that cannot be, or until there is very much. */
  through({ output, context, first, state }: BlockRun, from: number): Odd {
    const { block, edited } = output
    const { length, metadata } = block
    const editor = this.#editor
    let at = from
    for (; at < length && !state.destroyed && !output.isFull; at += 1) {
      context.index = first + at
      if (metadata !== undefined) context.metadata = metadata.at(at)
      try {
        if (editor.edit(block, at, context)) edited.add(at, editor.splices)
        else output.drop(at)
      } catch (error) {
        editor.release()
        release()
        return error instanceof SyntaxError ? { at, notRead: error } : { at, thrown: error }
      }
    }
    editor.release()
    release()
    return { at, isFull: at < length }
  }

  #only(records: Records, index: number, context: Context): unknown {
    if (!this.#editor.edit(records, index, context)) return drop
    const edited = new EditedBlock(records)
    edited.add(index, this.#editor.splices)
    this.#editor.release()
    return Buffer.from(edited.finish(records).at(0))
  }
}
