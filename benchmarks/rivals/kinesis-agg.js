/** What AWS offers for Node: base64 in, base64 out, as Lambda gets records. */
import agg from 'aws-kinesis-agg'

export async function deaggregate(aggregates) {
  let records = 0
  for (const aggregate of aggregates) {
    const event = { data: aggregate.toString('base64'), partitionKey: 'a', sequenceNumber: '1' }
    agg.deaggregateSync(event, true, (error, found) => {
      if (error) throw error
      for (const { data } of found) if (Buffer.from(data, 'base64').length > 0) records += 1
    })
  }
  return { records }
}
