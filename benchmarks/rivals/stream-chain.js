/** npm stream-chain, with its parser of newline-delimited JSON. It gathers by number. */
import { pipeline } from 'node:stream/promises'
import chain from 'stream-chain'
import parser from 'stream-chain/jsonl/parser.js'
import batch from 'stream-chain/utils/batch.js'
import fixUtf8Stream from 'stream-chain/utils/fixUtf8Stream.js'
import lines from 'stream-chain/utils/lines.js'
import { batchRecords, bodyOf, change, nothing, read } from '../support/reading.js'

/** Lines, counted. */
export async function streamChainCount(file) {
  const found = { records: 0 }
  const count = nothing(() => {
    found.records += 1
  }, true)
  await pipeline(read(file), chain([fixUtf8Stream(), lines()]), count)
  return found
}

/** Lines, gathered. */
export async function streamChainBatch(file, facts) {
  const found = { records: 0 }
  const count = nothing((batch) => {
    found.records += batch.length
  }, true)
  await pipeline(read(file), chain([fixUtf8Stream(), lines(), batch(batchRecords(facts))]), count)
  return found
}

/** Parse, change, stringify, gather. */
export async function streamChainChange(file, facts) {
  const functions = [parser(), ({ value }) => change(value), (event) => JSON.stringify(event)]
  return countedBytes(file, functions, facts)
}

async function countedBytes(file, functions, facts) {
  const found = { bytes: 0 }
  const count = nothing((body) => {
    found.bytes += body.length
  }, true)
  await pipeline(read(file), chain([...functions, batch(batchRecords(facts)), bodyOf]), count)
  return found
}
