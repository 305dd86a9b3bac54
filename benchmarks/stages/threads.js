import { pipeline } from 'node:stream/promises'
import { bareLoop } from '../rivals/bare-loop.js'
import { batch, deliver, lines, split, transform } from '../support/hosepipe.js'
import { read } from '../support/reading.js'

export const title = 'P7: the way of P3 with the change made in threads, which are started for each pass'
export const shapes = ['100 B', '1 KB', '10 KB']
export const megabytes = 256

const change = new URL('../support/change.js', import.meta.url)

function inThreads(threads) {
  return async (file) => {
    let bytes = 0
    const discard = async (request) => {
      bytes += request.byteLength
    }
    await pipeline(read(file), split(lines()), transform(change, { threads }), batch(), deliver(discard))
    return { bytes }
  }
}

export const ways = { hosepipe: inThreads(2), 'one thread': inThreads(1), 'bare loop': bareLoop }

export const targets = [{ against: 'bare loop', speed: { '1 KB': 1.6, '10 KB': 1.6 } }]
