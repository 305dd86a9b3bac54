import { json } from '../../../src/transform/view.ts'

export default json(({ n }: { n: number }, { metadata }) => ({ n, offset: metadata?.offset ?? 'none' }))
