/** The emulator that knows of lineage: a shard that has ended says which ones follow it, and the number of shards can be changed. It is slow: a few hundred records. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createConnection } from 'node:net'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { KinesisClient, type KinesisClientConfig } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { Test } from 'tap'
import { freePort } from './free-port.ts'

const operations = ['CREATE_STREAM', 'DELETE_STREAM', 'REGISTER_STREAM_CONSUMER', 'MERGE_SHARDS', 'SPLIT_SHARD']

async function isListening(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1')
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  }).then((answer) => {
    socket.destroy()
    return answer === true
  })
}

/** Starts it. `client` speaks HTTP/1.1 with it, `client2` HTTP/2 over TLS as the SDK does with the service. */
export async function kinesisLocal(t: Test) {
  const [tls, plain] = [await freePort(), await freePort()]
  const folder = dirname(createRequire(import.meta.url).resolve('kinesis-local/main.js'))
  const loopback = fileURLToPath(new URL('only-loopback.cjs', import.meta.url))
  const { NODE_OPTIONS: _, ...env } = process.env
  const durations = [...operations, 'UPDATE_SHARD_COUNT'].map((name) => [`${name}_DURATION`, '50ms'] as const)
  const child = spawn(process.execPath, ['--require', loopback, 'main.js'], {
    cwd: folder,
    env: {
      ...env,
      ...Object.fromEntries(durations),
      KINESIS_MOCK_TLS_PORT: `${tls}`,
      KINESIS_MOCK_PLAIN_PORT: `${plain}`,
      SHARD_LIMIT: '100',
      LOG_LEVEL: 'ERROR',
    },
    stdio: 'ignore',
  })
  t.teardown(() => child.kill('SIGKILL'))
  while (!(await isListening(plain)) || !(await isListening(tls))) {
    if (child.exitCode !== null) throw new Error(`kinesis-local ended with code ${child.exitCode}`)
    await pause(20)
  }

  const { server } = JSON.parse(readFileSync(`${folder}/server.json`, 'utf8'))
  const clientOf = (config: KinesisClientConfig): KinesisClient => {
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
    const client = new KinesisClient({ region: 'us-east-1', credentials, ...config })
    t.teardown(() => client.destroy())
    return client
  }
  return {
    client: clientOf({ endpoint: `http://127.0.0.1:${plain}`, requestHandler: new NodeHttpHandler() }),
    client2: clientOf({
      endpoint: `https://127.0.0.1:${tls}`,
      // Its certificate is its own, and for another name.
      requestHandler: { nodeHttp2ConnectOptions: { ca: server.cert, checkServerIdentity: () => undefined } },
    }),
  }
}
