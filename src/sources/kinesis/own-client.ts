import { createRequire } from 'node:module'
import { KinesisClient, type KinesisClientConfig } from '@aws-sdk/client-kinesis'

const require = createRequire(import.meta.url)

type Handler = NonNullable<KinesisClientConfig['requestHandler']>

/**
 * The client of a source that was given none: it is made from the environment, and does not try again, which the source does. The SDK speaks HTTP/2, which servers for tests do not speak
 * without TLS: where the endpoint begins with `http:`, it is HTTP/1.1.
 */
export function ownClient(place: { readonly region?: string; readonly endpoint?: string } = {}): KinesisClient {
  const endpoint = place.endpoint ?? process.env.AWS_ENDPOINT_URL_KINESIS ?? process.env.AWS_ENDPOINT_URL
  const config: KinesisClientConfig = { ...place, maxAttempts: 1 }
  if (endpoint?.startsWith('http:')) config.requestHandler = handlerOfHttp1()
  return new KinesisClient(config)
}

/** The SDK brings it, but it may stand where only the SDK finds it. */
function handlerOfHttp1(): Handler {
  const requireOfSdk = createRequire(require.resolve('@aws-sdk/client-kinesis'))
  const { NodeHttpHandler }: { NodeHttpHandler: new () => Handler } = requireOfSdk('@smithy/node-http-handler')
  return new NodeHttpHandler()
}
