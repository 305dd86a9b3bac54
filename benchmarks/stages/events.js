import { pipeline } from 'node:stream/promises'
import { splunkLogging, winstonTransport } from '../rivals/splunk-loggers.js'
import { dist } from '../support/build.js'
import { batch, deliver, lines, sourceOf, split } from '../support/hosepipe.js'
import { countedAt, startAnswering } from '../support/sink.js'

const { splunk } = await import(new URL('destinations/splunk/index.js', dist).href)

export const title = 'Events of Splunk: file → split(lines()) → batch() → the HTTP Event Collector'
export const note =
  'To a server on the same machine that keeps nothing, requests of about 5 MiB. Ours waits for acknowledgements, asked for every 10 ms; the loggers have none. The transport sends each event by itself.'
export const shapes = ['1 KB']
export const mebibytes = 64

export async function prepare(file) {
  return { file, node: await startAnswering() }
}

const ours = (options) =>
  countedAt((file, url) => {
    const to = splunk({ url, token: 'abc', acknowledgeInterval: 10, ...options })
    return pipeline(sourceOf(file), split(lines()), batch(), deliver(to))
  })

export const ways = {
  hosepipe: { run: ours({ sourcetype: 'bench' }) },
  'hosepipe, raw': { run: ours({ endpoint: 'raw' }) },
  "Splunk's library": { run: countedAt(splunkLogging), slow: true },
  'a transport of winston': { run: countedAt(winstonTransport), mebibytes: 1 },
}

export const targets = []
