import { pipeline } from 'node:stream/promises'
import { discarding } from '../support/count.js'
import { batch, field, filter, json, lines, sourceOf, split, transform } from '../support/hosepipe.js'
import { rival } from '../support/rival.js'

export const title = 'Filter: keep the records with a value of one field → batch → a destination that discards'
export const note =
  'Of log events 5 in 6 stay, of flights 4 in 10. The field is the second of a record; with `validate: false` nothing behind it is looked at. The loop parses every record and copies the bytes of those that stay.'
export const shapes = ['100 B', '1 KB', 'flights']

function ours(makeFilter) {
  return async (file, { filter: { field: name, keeps } }) => {
    const { found, end } = discarding()
    await pipeline(sourceOf(file), split(lines()), transform(makeFilter(name, keeps)), batch(), end)
    return found
  }
}

const loop = 'bare loop: parse every record'
const unchecked = 'hosepipe, field() without validation'

export const ways = {
  hosepipe: { run: ours((name, keeps) => filter(field(name), keeps)) },
  [unchecked]: { run: ours((name, keeps) => filter(field(name, { validate: false }), keeps)) },
  'hosepipe, json()': { run: ours((name, keeps) => filter(json((event) => keeps(event[name])))), slow: true },
  [loop]: { run: rival('bare-loop', 'bareFilter'), slow: true },
  'pipeline of Transforms': { run: rival('split2', 'split2Filter'), slow: true },
  highland: { run: rival('highland', 'highlandFilter'), slow: true },
}

const everywhere = (ratio) => Object.fromEntries(shapes.map((shape) => [shape, ratio]))

export const targets = [
  { id: 'P4', against: loop, speed: everywhere(2) },
  { id: 'P4', way: unchecked, against: loop, speed: everywhere(5) },
]
