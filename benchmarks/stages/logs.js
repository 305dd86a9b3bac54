import { createReadStream } from 'node:fs'
import { stat, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { dist } from '../support/build.js'
import { discarding } from '../support/count.js'
import { batch, lines, sourceOf, split, transform } from '../support/hosepipe.js'
import { rival } from '../support/rival.js'

const { accessLog, syslog } = await import(new URL('transform/blueprints/index.js', dist).href)

export const title = 'Logs to JSON: lines of an access log (combined), and of syslog (RFC 5424)'
export const note =
  'Made of the log events of 1 KB, one line for each. The parsers of npm are called for each line, and what they say is serialised.'
export const shapes = ['1 KB']

/** Files of lines, made once of a file of events. */
export async function prepare(file) {
  const made = { access: `${file}.access.log`, syslog: `${file}.syslog` }
  if (!(await stat(made.syslog).catch(() => undefined))) {
    const [access, messages] = [[], []]
    for await (const line of createInterface({ input: createReadStream(file) })) {
      const { id, level, msg, requests: [request] = [] } = JSON.parse(line)
      const { ip, method, path, status, bytes, agent, referer } = request
      access.push(
        `${ip} - - [10/Oct/2000:13:55:36 -0700] "${method} ${path} HTTP/1.1" ${status} ${bytes} "${referer}" "${agent}"`,
      )
      messages.push(
        `<165>1 2003-10-11T22:14:15.003Z host.example.com app ${id} ID47 [x@1 level="${level}" ip="${ip}"] ${msg}`,
      )
    }
    await writeFile(made.access, `${access.join('\n')}\n`)
    await writeFile(made.syslog, `${messages.join('\n')}\n`)
  }
  return made
}

const ours = (name, make) => async (files) => {
  const { found, end } = discarding()
  await pipeline(sourceOf(files[name]), split(lines()), transform(make()), batch(), end)
  return { records: found.records }
}

export const ways = {
  'hosepipe, access log': { run: ours('access', accessLog) },
  'alpine, access log': { run: rival('log-parsers', 'alpine') },
  'hosepipe, syslog': { run: ours('syslog', syslog) },
  'nsyslog-parser, syslog': { run: rival('log-parsers', 'nsyslog') },
}

export const targets = []
