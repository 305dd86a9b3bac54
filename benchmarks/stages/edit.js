import { pipeline } from 'node:stream/promises'
import { discarding } from '../support/count.js'
import { batch, drop, edit, json, lines, sourceOf, split, transform } from '../support/hosepipe.js'

export const title = 'Edit: drop debug events, add a field, rename another one → batch → a destination that discards'
export const note =
  'One in six is dropped. The function parses each record, and what it returns is serialised; `edit()` works on the bytes and checks that all of them are JSON.'
export const shapes = ['100 B', '1 KB', '1 KB dense', '10 KB']
export const mebibytes = 64

function ours(fn) {
  return async (file) => {
    const { found, end } = discarding()
    await pipeline(sourceOf(file), split(lines()), transform(fn), batch(), end)
    return found
  }
}

const parsing = 'hosepipe, json()'

export const ways = {
  hosepipe: { run: ours(edit({ where: 'level != debug', set: { service: 'api' }, rename: { msg: 'message' } })) },
  [parsing]: {
    run: ours(
      json(({ msg, ...event }) => (event.level === 'debug' ? drop : { ...event, message: msg, service: 'api' })),
    ),
    slow: true,
  },
}

export const targets = [{ id: 'P11', against: parsing, speed: { '1 KB': 3 } }]
