import { json } from '../../../src/transform/view.ts'

export default json((value: unknown) => ({ seen: value }))
