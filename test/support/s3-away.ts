/**
 * Run as a process of its own: an S3 server, so that its memory is not that of whoever writes to it. Prints its address, and ends
 * when its standard input does.
 */
import { once } from 'node:events'
import { startFauxqs } from 'fauxqs'

const server = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false })
console.log(`http://127.0.0.1:${server.port}`)
await once(process.stdin.resume(), 'end')
await server.stop()
