/** The JSON schema of a config of `hosepipe serve` (draft 7), made as that of the other configs is. `npm run schema` writes it to `serve.schema.json`. */
import type { Schema } from '../options.ts'
import { directPutLimitFields } from '../sources/direct-put/direct-put.ts'
import { serveFields } from './serve.ts'
import { servedKinesisFields } from './served-sources.ts'
import { objectOf, text, units } from './table-schema.ts'

const key: Schema = {
  type: 'object',
  required: ['accessKeyId', 'secretAccessKey'],
  additionalProperties: false,
  properties: {
    accessKeyId: { type: 'string', minLength: 1 },
    secretAccessKey: text('The secret, or file: and where it stands.'),
  },
}

const named = (description: string, value: Schema): Schema => ({
  description,
  type: 'object',
  additionalProperties: value,
})

/** The schema of a config of `hosepipe serve`. */
export function serveSchema(): Schema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'hosepipe serve config',
    description:
      'Options of directPut(), of fromDeliveryStream(), and delivery streams, as `hosepipe serve FILE` reads them. Paths are relative to the folder of the file.',
    ...objectOf(serveFields, {
      $schema: text('Where this schema is.'),
      streams: named('Delivery streams by their names, as CreateDeliveryStream takes them.', { type: 'object' }),
      auth: {
        description: 'Keys that requests must be signed with. Without, the server may only listen on loopback.',
        anyOf: [key, { type: 'array', items: key, minItems: 1 }],
      },
      tls: { description: 'Options of node:tls: key, cert, ca … as text.', type: 'object' },
      kinesis: { description: 'How streams of Kinesis are read that are sources.', ...objectOf(servedKinesisFields) },
      limits: { description: 'Quotas, to test producers.', ...objectOf(directPutLimitFields) },
    }),
    definitions: units,
  }
}
