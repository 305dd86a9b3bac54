/** npm highland. It gathers by number. */
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import highland from 'highland'
import { batchRecords, bodyOf, change, read } from '../support/reading.js'

/** Lines, gathered. */
export async function highlandBatch(file, facts) {
  const found = { records: 0 }
  await done(lines(file).batch(batchRecords(facts)), (batch) => {
    found.records += batch.length
  })
  return found
}

/** Parse, change, stringify, gather. */
export async function highlandChange(file, facts) {
  return countedBytes(changed(lines(file).map(JSON.parse), facts))
}

/** The same, to a gzipped file. */
export async function highlandChangeToGzip(file, path, facts) {
  const bodies = changed(lines(file).map(JSON.parse), facts).toNodeStream()
  await pipeline(bodies, createGzip(), createWriteStream(path))
}

/** Parse, look at one field, stringify what stays, gather. */
export async function highlandFilter(file, facts) {
  const { field, keeps } = facts.filter
  const kept = lines(file)
    .map(JSON.parse)
    .filter((event) => keeps(event[field]))
  return countedBytes(bodies(kept, facts))
}

/** Objects that are there already: change, stringify, gather. */
export async function highlandObjects(objects, facts) {
  return countedBytes(changed(highland(objects), facts))
}

function changed(events, facts) {
  return bodies(events.map(change), facts)
}

function bodies(events, facts) {
  return events
    .map((event) => JSON.stringify(event))
    .batch(batchRecords(facts))
    .map(bodyOf)
}

/** It makes an empty line of the file's end. */
function lines(file) {
  return highland(read(file))
    .split()
    .filter((line) => line !== '')
}

async function countedBytes(stream) {
  const found = { bytes: 0 }
  await done(stream, (body) => {
    found.bytes += body.length
  })
  return found
}

function done(stream, look) {
  return new Promise((resolve, reject) => {
    stream.stopOnError(reject).each(look).done(resolve)
  })
}
