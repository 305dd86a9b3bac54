/** Bytes that are not UTF-8, where text is made of them. */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { memory } from '../../src/destinations/memory/index.ts'
import {
  batch,
  deliver,
  filter,
  json,
  lines,
  map,
  type RecordFunction,
  readBackupRecord,
  split,
  text,
  transform,
} from '../../src/index.ts'
import { conserves } from '../support/conservation.ts'

const bad = Buffer.from('{"a":"\xe9"}', 'latin1')
const input = Buffer.concat([Buffer.from('{"a":"é"}\n'), bad, Buffer.from('\n{"a":"z"}\n')])

async function through(fn: RecordFunction) {
  const [to, backup] = [memory(), memory({ name: 'backup' })]
  const end = deliver(to, { backup })
  await pipeline(Readable.from([input]), split(lines()), transform(fn), batch(), end)
  conserves(t, end.stats())
  return { texts: to.records().map(String), failed: backup.records().map(readBackupRecord) }
}

t.test("invalidUtf8 'fail': the record fails alone, with its bytes", async (t) => {
  const options = { invalidUtf8: 'fail' } as const
  const same = ['{"a":"é"}', '{"a":"z"}']
  const functions: RecordFunction[] = [
    text((record) => record, options),
    json((value: object) => value, options),
    map(json((value: { a: string }) => ({ ...value }), options)),
    filter(text(() => true, options)),
  ]
  for (const fn of functions) {
    const { texts, failed } = await through(fn)
    t.same(texts, same)
    t.match(failed, [{ errorCode: 'Transform.NotUtf8', errorMessage: /^the record is not UTF-8/ }])
    t.same(Buffer.from(String(failed[0]?.rawData), 'base64'), bad)
  }
})

t.test("'replace', the default: U+FFFD stands in their places", async (t) => {
  for (const fn of [text((record) => record), json((value: object) => value, { invalidUtf8: 'replace' })]) {
    t.same((await through(fn)).texts, ['{"a":"é"}', '{"a":"\ufffd"}', '{"a":"z"}'])
  }
  t.same((await through(filter(text(() => true)))).texts.length, 3, 'a filter only looks')
  t.throws(() => text((record) => record, { invalidUtf8: JSON.parse('"keep"') }), {
    message: /^text: invalidUtf8 must be/,
  })
})
