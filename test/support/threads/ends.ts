/** Ends its thread in the way that a record asks for. */
import { parentPort } from 'node:worker_threads'
import { fail } from '../../../src/transform/result.ts'
import { text } from '../../../src/transform/view.ts'

const kept: unknown[] = []

export default text((record) => {
  switch (record) {
    case 'exit':
      return process.exit(3)
    case 'uncaught':
      setImmediate(() => {
        throw new Error('nobody catches this')
      })
      return new Promise(() => undefined)
    case 'memory':
      for (;;) kept.push(new Array(10_000).fill(kept.length))
    case 'after':
      setImmediate(() => {
        throw new Error('after the answer')
      })
      return record
    case 'hang':
      parentPort?.postMessage('hangs')
      return new Promise(() => undefined)
    case 'spin':
      for (;;);
    case 'bad':
      return fail('bad')
    default:
      return `${record}!`
  }
})
