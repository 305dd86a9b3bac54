// The same as a module, and what hurts.
export const handler = async (event, context) => {
  const output = event.records.map(({ recordId, data }) => {
    const text = Buffer.from(data, 'base64').toString()
    if (text === 'log') console.log('logged')
    if (text === 'throw') throw new Error('it threw')
    if (text === 'exit') process.exit(3)
    if (text === 'block') for (;;);
    if (text === 'hang') return undefined
    if (text.includes('drop')) return { recordId, result: 'Dropped' }
    if (text.includes('fail')) return { recordId, result: 'ProcessingFailed', data }
    const made = text === 'context' ? JSON.stringify(facts(context)) : text.toUpperCase()
    return {
      recordId,
      result: 'Ok',
      data: Buffer.from(made).toString('base64'),
      ...(text.startsWith('key:') && { metadata: { partitionKeys: { customer: text.slice(4) } } }),
    }
  })
  if (output.includes(undefined)) await new Promise((resolve) => setTimeout(resolve, 2 ** 30).ref())
  return { records: output }
}

function facts({ functionName, functionVersion, awsRequestId, getRemainingTimeInMillis }) {
  return { functionName, functionVersion, id: awsRequestId.length, left: getRemainingTimeInMillis() }
}
