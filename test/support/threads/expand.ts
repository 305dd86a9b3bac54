/** Makes much of little. */
import { json } from '../../../src/transform/view.ts'

const huge = 'z'.repeat(100_000)

export default json(({ i }: { i: number }) => ({ i, huge: `${i}${huge}` }))
