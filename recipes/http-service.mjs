// An HTTP service that answers 200 when the record is delivered, and 503 when it is not: whoever sent it may send it again.
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { firehose } from 'hosepipe'

/**
 * @param {import('hosepipe').Destination} to Where records go.
 * @param {import('hosepipe').Destination} backup Where those go that fail.
 */
export function service(to, backup) {
  // Requests wait for their batch, or for that of the backup: a tenth of a second at most, beside what the destination takes.
  const hose = firehose({ batch: { maxAge: '100ms' }, backupBatch: { maxAge: '100ms' }, to, backup })
  const server = createServer(async (request, response) => {
    try {
      const { delivered, failures } = await hose.send(await text(request))
      response.writeHead(delivered === 1 ? 200 : 503).end(failures[0]?.code)
    } catch (error) {
      // The hose has ended, and nothing will be delivered any more.
      response.writeHead(503).end(error.code)
    }
  })
  server.on('close', () => hose.end())
  return { server, hose }
}
