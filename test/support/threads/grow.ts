import { json } from '../../../src/transform/view.ts'

/** Makes more of a number than it was. */
export default json((length: number) => ({ text: 'ä'.repeat(length) }))
