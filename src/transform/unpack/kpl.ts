/**
 * Records that the Kinesis Producer Library has put together into one (its page "KPL aggregated record format"):
 *
 *     F3 89 9A C2 │ protobuf: keys, and records that name them by their place │ MD5 of the protobuf
 */
import { createHash } from 'node:crypto'
import { HosepipeError, toError } from '../../errors.ts'
import { type Fields, oneOf, option, readOptions } from '../../options.ts'
import type { Metadata } from '../../records/metadata.ts'
import { fail, several, type TransformResult } from '../result.ts'
import { type RecordFunction, toRecordFunction } from '../view.ts'
import { ProtobufReader } from './protobuf-reader.ts'

/** Options of {@link kpl}. */
export interface KplOptions {
  /**
   * What becomes of a record that begins as an aggregate and is none: its checksum is wrong, or it breaks off. `'keep'` leaves it as it is, as the
   * consumers of AWS do; `'fail'` sends it to the backup. Default `'keep'`.
   */
  readonly onDamaged?: 'keep' | 'fail' | undefined
}

const fields = {
  onDamaged: option(oneOf('keep', 'fail'), { default: 'keep', about: 'What becomes of a damaged aggregate.' }),
} satisfies Fields<KplOptions>

const magic = Buffer.from('f3899ac2', 'hex')
const checksumBytes = 16
/** Field numbers of the messages. */
const inAggregate = { partitionKey: 1, explicitHashKey: 2, record: 3 }
const inRecord = { partitionKey: 1, explicitHashKey: 2, data: 3 }

/**
 * For `transform`: takes records of the Kinesis Producer Library out of the aggregates that it sends. Others stay as they are. Each is a record of its own from then on: its
 * metadata has `partitionKey`, `explicitHashKey` and `subSequenceNumber` beside what is known of the aggregate, and a `recordId` of the aggregate
 * gets its number behind it.
 *
 * @throws OptionError
 * @example
 * firehose({ transform: kpl(), to })
 */
export function kpl(options: KplOptions = {}): RecordFunction {
  const { onDamaged } = readOptions('kpl', options, fields)
  const unpack = (record: Buffer, known: Metadata | undefined): TransformResult => {
    if (!isAggregate(record)) return record
    try {
      const { data, metadata } = recordsIn(record, known)
      return several(data, metadata)
    } catch (error) {
      if (onDamaged === 'keep') return record
      const words = `the record begins as an aggregate of the KPL, but ${toError(error).message}`
      return fail(new HosepipeError('Split.Malformed', words))
    }
  }
  return {
    ...toRecordFunction('kpl', (record, context) => unpack(record, context.metadata)),
    takesContext: false,
    unwraps: true,
  }
}

function isAggregate(record: Buffer): boolean {
  return record.length >= magic.length + checksumBytes && record.compare(magic, 0, magic.length, 0, magic.length) === 0
}

interface Unpacked {
  readonly data: readonly Buffer[]
  readonly metadata: readonly Metadata[]
}

/** @throws Error in words */
function recordsIn(aggregate: Buffer, known: Metadata | undefined): Unpacked {
  const end = aggregate.length - checksumBytes
  const message = aggregate.subarray(magic.length, end)
  const checksum = createHash('md5').update(message).digest()
  if (aggregate.compare(checksum, 0, checksumBytes, end) !== 0) throw new Error('its checksum is another one')
  const partitionKeys: string[] = []
  const hashKeys: string[] = []
  const records: Buffer[] = []
  const reader = new ProtobufReader(message)
  while (reader.next()) {
    if (reader.field === inAggregate.partitionKey) partitionKeys.push(reader.bytes().toString())
    else if (reader.field === inAggregate.explicitHashKey) hashKeys.push(reader.bytes().toString())
    else if (reader.field === inAggregate.record) records.push(reader.bytes())
  }
  if (records.length === 0) throw new Error('it has no records')
  const data: Buffer[] = []
  const metadata: Metadata[] = []
  const id = typeof known?.recordId === 'string' ? known.recordId : undefined
  for (const [subSequenceNumber, record] of records.entries()) {
    const { partitionKey, explicitHashKey, data: bytes } = recordIn(record, partitionKeys, hashKeys)
    data.push(bytes)
    const recordId = id === undefined ? {} : { recordId: `${id}.${subSequenceNumber}` }
    metadata.push({
      partitionKey,
      ...(explicitHashKey !== undefined && { explicitHashKey }),
      subSequenceNumber,
      ...recordId,
    })
  }
  return { data, metadata }
}

function recordIn(record: Buffer, partitionKeys: readonly string[], hashKeys: readonly string[]) {
  const reader = new ProtobufReader(record)
  let data: Buffer | undefined
  let partitionKey: string | undefined
  let explicitHashKey: string | undefined
  while (reader.next()) {
    if (reader.field === inRecord.partitionKey) partitionKey = keyAt(partitionKeys, reader.number())
    else if (reader.field === inRecord.explicitHashKey) explicitHashKey = keyAt(hashKeys, reader.number())
    else if (reader.field === inRecord.data) data = reader.bytes()
  }
  if (data === undefined || partitionKey === undefined) throw new Error('one of its records has no data or no key')
  return { data, partitionKey, explicitHashKey }
}

function keyAt(keys: readonly string[], index: number): string {
  const key = keys[index]
  if (key === undefined) throw new Error(`one of its records names the key ${index}, and there are ${keys.length}`)
  return key
}
