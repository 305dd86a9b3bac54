// Web streams: the body of a response comes in, and what Writable.toWeb() makes of a hose takes what pipeTo() brings.
import { Readable, Writable } from 'node:stream'
import { firehose, lines } from 'hosepipe'

/**
 * @param {string} url Answers with newline-delimited records.
 * @param {import('hosepipe').Destination} to Where records go.
 * @param {import('hosepipe').Destination} backup Where those go that fail.
 */
export async function fetchInto(url, to, backup) {
  const hose = firehose({ split: lines(), to, backup })
  const { body } = await fetch(url)
  await body.pipeTo(Writable.toWeb(hose))
  return hose.stats()
}

/** The same with a stream of Node. */
export async function readable(url) {
  const { body } = await fetch(url)
  return Readable.fromWeb(body)
}
