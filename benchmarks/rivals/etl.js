/** npm etl. It gathers by number: its limit by length makes JSON of each record once more. */
import { createReadStream, createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import etl from 'etl'
import { batchRecords, bodyOf, change, MiB } from '../support/reading.js'

/** Lines, gathered. */
export async function etlBatch(file, facts) {
  const found = { records: 0 }
  await lines(file)
    .pipe(etl.map(({ text }) => text))
    .pipe(etl.collect(batchRecords(facts)))
    .pipe(
      look((batch) => {
        found.records += batch.length
      }),
    )
    .promise()
  return found
}

/** Parse, change, stringify, gather. */
export async function etlChange(file, facts) {
  const found = { bytes: 0 }
  await changed(file, facts)
    .pipe(
      look((batch) => {
        found.bytes += bodyOf(batch).length
      }),
    )
    .promise()
  return found
}

/** The same, to a gzipped file. */
export async function etlChangeToGzip(file, path, facts) {
  await pipeline(changed(file, facts).pipe(etl.map(bodyOf)), createGzip(), createWriteStream(path))
}

/** Objects that are there already: change, stringify, gather. */
export async function etlObjects(objects, facts) {
  const found = { bytes: 0 }
  await etl
    .toStream(objects)
    .pipe(etl.map(change))
    .pipe(etl.map((event) => JSON.stringify(event)))
    .pipe(etl.collect(batchRecords(facts)))
    .pipe(
      look((batch) => {
        found.bytes += bodyOf(batch).length
      }),
    )
    .promise()
  return found
}

function changed(file, facts) {
  return lines(file)
    .pipe(etl.map(({ text }) => JSON.parse(text)))
    .pipe(etl.map(change))
    .pipe(etl.map((event) => JSON.stringify(event)))
    .pipe(etl.collect(batchRecords(facts)))
}

/** The file is decoded before: `etl.split` breaks characters that lie across two chunks. It makes an empty line of the file's end. */
function lines(file) {
  return createReadStream(file, { highWaterMark: MiB, encoding: 'utf8' })
    .pipe(etl.split())
    .pipe(etl.map((line) => (line.text === '' ? undefined : line)))
}

/** The end of a way. What a function of `etl.map` answers would go on. */
function look(fn) {
  return etl.map((value) => {
    fn(value)
    return undefined
  })
}
