import type { Encoder, PartlyEncoded, UnfitRecord } from '../../encode/encoder.ts'
import { HosepipeError } from '../../errors.ts'
import type { Records } from '../../records/records.ts'

/** Bytes of one record: guide of the service, "HTTP endpoint delivery", request format. */
const maxRecordBytes = 1_024_000
const open = '"records":[{"data":"'
const between = '"},{"data":"'
const close = '"}]}'
/** What a record costs beside its bytes: `{"data":""},`, of bytes that base64 makes a third larger. */
const overhead = { record: 12, batch: 0 }

/** Bytes of records that make a body of at most 64 MiB, which is what the service sends. */
export const maxRecordsBytes = Math.floor(((64 * 1024 * 1024 - 1024) * 3) / 4)

/** The end of the service's delivery request, which is the same for all attempts: `"records":[{"data":"…"}]}`. Its beginning has the time. */
export function firehoseRecords(): Encoder<PartlyEncoded> {
  return { name: 'firehoseRecords', extension: '.json', contentType: 'application/json', overhead, encode }
}

function encode(runs: readonly Records[]): PartlyEncoded {
  const refused: UnfitRecord[] = []
  const body = Buffer.allocUnsafe(mostBytes(runs))
  let [at, index] = [0, 0]
  for (const run of runs) {
    const { bytes, ends, length } = run
    for (let i = 0; i < length; i += 1, index += 1) {
      const [start, end] = [run.start(i), ends[i] ?? 0]
      if (end - start > maxRecordBytes) refused.push({ index, error: tooLarge(end - start) })
      else {
        at += body.write(at === 0 ? open : between, at, 'latin1')
        at += body.write(bytes.toString('base64', start, end), at, 'latin1')
      }
    }
  }
  at += body.write(close, at, 'latin1')
  return { parts: [body.subarray(0, at)], refused }
}

function mostBytes(runs: readonly Records[]): number {
  let size = open.length + close.length
  // Base64 makes four characters of three bytes, and of what is left.
  for (const run of runs) size += Math.ceil(run.byteLength / 3) * 4 + run.length * (between.length + 4)
  return size
}

function tooLarge(size: number): HosepipeError {
  const words = `the record has ${size} bytes, but a record of the delivery protocol has at most ${maxRecordBytes}`
  return new HosepipeError('Delivery.RecordTooLarge', words)
}
