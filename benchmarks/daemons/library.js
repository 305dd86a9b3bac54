/** The jobs by the library, in a process of its own: `node library.js JOB FILE`, into the folder that it runs in. */
import { pipeline } from 'node:stream/promises'
import { edit, field, file, firehose, gzip, lines, MiB, parquet, source } from './hosepipe.js'

const [job, input] = process.argv.slice(2)
const options = {
  files: {},
  gzip: { batch: { maxBytes: 16 * MiB }, compress: gzip({ level: 6 }) },
  partitions: { batch: { key: field('customer') } },
  edit: { transform: edit({ where: 'level != debug', set: { service: 'api' }, rename: { msg: 'message' } }) },
  parquet: { batch: { maxBytes: 64 * MiB }, encode: () => parquet({ infer: true }) },
}[job]
const prefix = job === 'partitions' ? { prefix: '!{partitionKey:customer}/' } : {}
const { encode, ...others } = options
const hose = firehose({
  split: lines(),
  ...others,
  ...(encode !== undefined && { encode: encode() }),
  to: file({ dir: '.', ...prefix }),
})
await pipeline(source(input, { reuse: true }), hose)
