/** Parsers of npm, called for each line. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import Alpine from 'alpine'
import parse from 'nsyslog-parser'

const log = new Alpine(Alpine.LOGFORMATS.COMBINED)

export const alpine = ({ access }) => serialised(access, (line) => log.parseLine(line))
export const nsyslog = ({ syslog }) => serialised(syslog, (line) => parse(line))

async function serialised(file, read) {
  let records = 0
  for await (const line of createInterface({ input: createReadStream(file, { highWaterMark: 1024 * 1024 }) })) {
    if (JSON.stringify(read(line)).length > 2) records += 1
  }
  return { records }
}
