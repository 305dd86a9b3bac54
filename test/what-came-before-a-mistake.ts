/** A mistake in the input ends the stream, but not before all that was found in front of it is delivered, however slow that is. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { memory } from '../src/destinations/memory/index.ts'
import {
  batch,
  deliver,
  fanOut,
  firehose,
  json,
  jsonValues,
  lengthPrefixed,
  lines,
  type Send,
  type Splitter,
  separator,
  split,
  transform,
} from '../src/index.ts'
import { FlushRequest } from '../src/stage/flush-request.ts'
import { conserves } from './support/conservation.ts'

const count = 5000
const numbers = Array.from({ length: count }, (_, i) => i)
const prefixed = numbers.map((i) => {
  const text = String(i)
  return `\0\0\0${String.fromCharCode(text.length)}${text}`
})
const long = 'x'.repeat(200)

/** Inputs of so many records with a mistake behind. */
const inputs: Readonly<Record<string, { splitter: Splitter; text: string; code: string }>> = {
  'jsonValues, a bad element': { splitter: jsonValues(), text: `[${numbers.join()},nul]`, code: 'Split.Malformed' },
  'jsonValues, breaks off': { splitter: jsonValues(), text: `[${numbers.join()},`, code: 'Split.Malformed' },
  'jsonValues, selected': {
    splitter: jsonValues({ select: (path) => path.length === 1 }),
    text: `[${numbers.join()},nul]`,
    code: 'Split.Malformed',
  },
  'lines, too long': {
    splitter: lines({ maxRecordBytes: 100 }),
    text: `${numbers.join('\n')}\n${long}\n1\n`,
    code: 'Split.RecordTooLarge',
  },
  'separator, too long': {
    splitter: separator(';', { maxRecordBytes: 100 }),
    text: `${numbers.join(';')};${long};1;`,
    code: 'Split.RecordTooLarge',
  },
  'lengthPrefixed, breaks off': {
    splitter: lengthPrefixed(),
    text: `${prefixed.join('')}\0\0\0\x09`,
    code: 'Split.Malformed',
  },
}

/** Pieces of an input. */
function pieces(text: string, size = 1000): Buffer[] {
  const bytes = Buffer.from(text, 'latin1')
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}

t.test('all records in front of it are delivered, however slow the destination is', async (t) => {
  for (const [name, { splitter, text, code }] of Object.entries(inputs)) {
    for (const turns of [0, 20]) {
      const seen: string[] = []
      const send: Send = async ({ batch: { runs } }) => {
        for (let turn = 0; turn < turns; turn += 1) await setImmediate()
        for (const run of runs) for (let i = 0; i < run.length; i += 1) seen.push(run.text(i))
      }
      const end = deliver(send, { concurrency: 1 })
      const done = pipeline(
        Readable.from(pieces(text)),
        split(splitter),
        transform(json((n: number) => n)),
        batch({ maxRecords: 100 }),
        end,
      )
      await t.rejects(done, { code }, name)
      t.same(seen, numbers.map(String), `${name}, ${turns} turns an object`)
      t.match(end.stats(), { in: count, delivered: count, pending: 0 })
      conserves(t, end.stats())
    }
  }
})

t.test('in a firehose, and in every branch of a fan-out', async (t) => {
  const text = `[${numbers.join()},nul]`
  const to = memory()
  const hose = firehose({ split: jsonValues(), to })
  await t.rejects(pipeline(Readable.from(pieces(text)), hose), { code: 'Split.Malformed' })
  t.equal(to.records().length, count)
  t.match(hose.stats(), { in: count, delivered: count, pending: 0 })
  const branches = [memory(), memory()] as const
  const fan = fanOut(firehose({ to: branches[0] }), [batch({ maxRecords: 7 }), deliver(branches[1])])
  await t.rejects(pipeline(Readable.from(pieces(text)), split(jsonValues()), fan), { code: 'Split.Malformed' })
  for (const branch of branches) t.equal(branch.records().length, count)
})

t.test('the good values around a bad one', async (t) => {
  const to = memory()
  const input = readFileSync(join(import.meta.dirname, 'inputs/bad-middle-concat.json'))
  await t.rejects(pipeline(Readable.from([input]), firehose({ split: jsonValues(), to })), { code: 'Split.Malformed' })
  t.equal(to.records().length, 1)
})

t.test('streams of others are not asked: the error comes at once', async (t) => {
  const chunks: unknown[] = []
  const foreign = new PassThrough({ objectMode: true })
  foreign.on('data', (chunk) => chunks.push(chunk))
  await t.rejects(pipeline(Readable.from(['[1,nul]']), split(jsonValues()), foreign), { code: 'Split.Malformed' })
  const alone = split(jsonValues())
  alone.on('data', (chunk) => chunks.push(chunk))
  alone.end('[1,nul]')
  await t.rejects(finished(alone), { code: 'Split.Malformed' })
  t.notOk(chunks.some((chunk) => chunk instanceof FlushRequest))
})

t.test('a destination that fails meanwhile ends the stream with its own error', async (t) => {
  const send: Send = () => Promise.reject(Object.assign(new Error('down'), { retryable: false }))
  const done = pipeline(Readable.from(pieces(`[${numbers.join()},nul]`)), split(jsonValues()), batch(), deliver(send))
  await t.rejects(done, { code: 'Backup.None', message: /down/ })
})
