// CommonJS: Node requires modules by itself from 20.19 and 22.12 on.
const assert = require('node:assert/strict')
const { firehose, lines } = require('hosepipe')
const { memory } = require('hosepipe/memory')

const to = memory()
const hose = firehose({ split: lines(), to })
hose.end('{"n":1}\n')
hose.on('close', () => assert.deepEqual(to.json(), [{ n: 1 }]))
