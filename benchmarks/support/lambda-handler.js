/** A handler of AWS Lambda for Firehose, as most of them are. */
import { fileURLToPath } from 'node:url'

export const handler = async ({ records }) => ({
  records: records.map(({ recordId, data }) => {
    const event = JSON.parse(Buffer.from(data, 'base64').toString())
    event.level = 'seen'
    return { recordId, result: 'Ok', data: Buffer.from(`${JSON.stringify(event)}\n`).toString('base64') }
  }),
})

/** Its module, for threads. */
export const module = fileURLToPath(import.meta.url)
