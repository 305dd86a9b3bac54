import type { _Record } from '@aws-sdk/client-kinesis'
import type { MetadataColumn } from '../../records/metadata.ts'

/**
 * What is known of the records of one read: an object is made for each that is asked for.
 *
 * @param stream - The stream's name or ARN, under its name.
 */
export function metadataOfRead(found: readonly _Record[], stream: object, shardId: string): MetadataColumn {
  // The records themselves would keep their bytes.
  const sequenceNumbers = found.map(({ SequenceNumber: sequenceNumber }) => sequenceNumber)
  const partitionKeys = found.map(({ PartitionKey: partitionKey }) => partitionKey)
  const times = Float64Array.from(found, ({ ApproximateArrivalTimestamp: time }) => time?.getTime() ?? Number.NaN)
  return {
    at: (index) => {
      const sequenceNumber = sequenceNumbers[index]
      const time = times[index] ?? Number.NaN
      return {
        recordId: `${shardId}:${sequenceNumber}`,
        ...stream,
        shardId,
        partitionKey: partitionKeys[index],
        sequenceNumber,
        ...(!Number.isNaN(time) && { approximateArrivalTimestamp: time }),
      }
    },
  }
}
