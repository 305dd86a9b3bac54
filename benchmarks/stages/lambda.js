import { pipeline } from 'node:stream/promises'
import { dist } from '../support/build.js'
import { discarding } from '../support/count.js'
import { batch, lines, sourceOf, split } from '../support/hosepipe.js'
import { module, handler as tagging } from '../support/lambda-handler.js'

const { handler } = await import(new URL('lambda/index.js', dist).href)

export const title = 'Lambda handlers for Firehose: parse, change a member, serialise; events of 500 records'
export const note =
  'Called directly means: the event is made, the handler called, and its answer decoded by hand, from the lines of the same file; what the handler itself does is most of it. Threads: two.'
export const shapes = ['1 KB', '10 KB']
const maxRecords = 500

const ours = (given, options) => async (file) => {
  const { found, end } = discarding()
  await pipeline(
    sourceOf(file),
    split(lines()),
    handler(given, { maxRecords, bufferBytes: '3MiB', bufferAge: '1m', ...options }),
    batch(),
    end,
  )
  return { records: found.records }
}

/** The same work without a stream behind it. */
async function direct(file) {
  const { createReadStream } = await import('node:fs')
  const { createInterface } = await import('node:readline')
  let records = 0
  let texts = []
  const send = async () => {
    const event = {
      invocationId: 'i',
      deliveryStreamArn: 'arn',
      region: 'r',
      records: texts.map((text, i) => ({
        recordId: String(i),
        approximateArrivalTimestamp: 0,
        data: Buffer.from(text).toString('base64'),
      })),
    }
    texts = []
    const { records: answers } = await tagging(event)
    for (const { result, data } of answers) {
      if (result === 'Ok' && Buffer.from(data, 'base64').length > 0) records += 1
    }
  }
  for await (const line of createInterface({ input: createReadStream(file, { highWaterMark: 1024 * 1024 }) })) {
    texts.push(line)
    if (texts.length === maxRecords) await send()
  }
  await send()
  return { records }
}

export const ways = {
  hosepipe: { run: ours(tagging) },
  'hosepipe, two threads': { run: ours(module, { threads: 2 }) },
  'called directly': { run: direct },
}

export const targets = []
