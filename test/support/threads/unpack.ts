import { several } from '../../../src/transform/result.ts'
import { toRecordFunction } from '../../../src/transform/view.ts'

/** Takes words out of a record, and says which each is; fails one that begins with an exclamation mark. */
export default {
  ...toRecordFunction('unpack', (record: Buffer) => {
    const words = record.toString().split(' ')
    if (words[0] === '!') throw new TypeError('no words')
    return several(
      words,
      words.map((_, place) => ({ place })),
    )
  }),
  unwraps: true,
}
