'use strict'

// A handler with a callback, as they were written for Node 8.
exports.handler = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false
  const records = event.records.map((record) => {
    const text = Buffer.from(record.data, 'base64').toString('utf8')
    if (text.includes('drop')) return { recordId: record.recordId, result: 'Dropped', data: record.data }
    if (text.includes('fail')) return { recordId: record.recordId, result: 'ProcessingFailed', data: record.data }
    return { recordId: record.recordId, result: 'Ok', data: Buffer.from(text.toUpperCase()).toString('base64') }
  })
  setImmediate(() => callback(null, { records }))
}
