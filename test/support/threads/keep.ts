import { field } from '../../../src/transform/field.ts'
import { filter } from '../../../src/transform/view.ts'

export default filter(field('n'), (n: unknown) => {
  if (typeof n === 'string') throw new TypeError(`n is ${n}`)
  return Number(n) % 3 > 0
})
