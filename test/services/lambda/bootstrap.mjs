/** A runtime of Lambda: asks for invocations, calls the handler, and answers (Lambda's guide, "Using the Lambda runtime API"). Its argument is the module of the handler. */
import { pathToFileURL } from 'node:url'

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`
const { handler } = await import(pathToFileURL(process.argv[2]).href)

for (;;) {
  const next = await fetch(`${api}/invocation/next`)
  const id = next.headers.get('lambda-runtime-aws-request-id')
  const deadline = Number(next.headers.get('lambda-runtime-deadline-ms'))
  const context = {
    awsRequestId: id,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: '$LATEST',
    getRemainingTimeInMillis: () => deadline - Date.now(),
  }
  try {
    await answer(`invocation/${id}/response`, await handler(await next.json(), context))
  } catch (error) {
    await answer(`invocation/${id}/error`, { errorMessage: error.message, errorType: error.name, stackTrace: [] })
  }
}

function answer(path, body) {
  return fetch(`${api}/${path}`, { method: 'POST', body: JSON.stringify(body) ?? 'null' })
}
