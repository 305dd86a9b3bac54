/**
 * The JSON schema of a config file (draft 7), made from the tables that check the options. `npm run schema` writes it to
 * `config.schema.json`; a test holds that they are the same.
 */
import { batchFields } from '../batch/batch-stage.ts'
import { timestampFields } from '../batch/keys/record-time.ts'
import { gzipFields } from '../compress/gzip.ts'
import { zstdFields } from '../compress/zstd.ts'
import { backupBatchFields } from '../deliver/deliver-options.ts'
import { fileFields } from '../destinations/file/file.ts'
import { httpEndpointFields } from '../destinations/http/http-endpoint.ts'
import { webhookFields } from '../destinations/http/webhook.ts'
import { openSearchFields } from '../destinations/opensearch/open-search-options.ts'
import { redshiftFields } from '../destinations/redshift/redshift-options.ts'
import { s3Fields } from '../destinations/s3/s3-options.ts'
import { splunkFields } from '../destinations/splunk/splunk-options.ts'
import { csvFields } from '../encode/csv/csv.ts'
import { ndjsonFields } from '../encode/ndjson.ts'
import { parquetFields } from '../encode/parquet/parquet.ts'
import type { Schema } from '../options.ts'
import { retryFields } from '../retry/retry-options.ts'
import { csvRowsFields } from '../split/csv-rows.ts'
import { jsonValuesFields } from '../split/json-values.ts'
import { linesFields } from '../split/lines.ts'
import { separatorFields } from '../split/separator.ts'
import { sizeFields } from '../split/too-large.ts'
import { editFields } from '../transform/edit/edit-options.ts'
import { handlerFields } from '../transform/lambda/handler.ts'
import { transformFields } from '../transform/transform.ts'
import { configFields } from './config-fields.ts'
import { objectOf, propertiesOf, text, units } from './table-schema.ts'

/** An option that names what all others are for. */
const by = (name: string): Schema => ({ by: { const: name } })

/** How records are found, how bodies are compressed: a name, or an object with the name in `by` and options. */
const forms = (pattern: string, examples: readonly string[], kinds: readonly Schema[]): Schema => ({
  anyOf: [{ type: 'string', pattern, examples }, ...kinds],
})

const split = forms(
  '^(lines|json(:.+)?|regex:[\\s\\S]+|separator:[\\s\\S]+|length-prefixed|csv)$',
  ['lines', 'json', 'json:features', 'regex:\\n{2,}', 'separator:;;', 'length-prefixed', 'csv'],
  [
    objectOf(linesFields, by('lines'), ['by']),
    objectOf(jsonValuesFields, by('json'), ['by']),
    objectOf(
      separatorFields,
      { ...by('regex'), pattern: text('The regular expression, without slashes; Unicode mode.') },
      ['by', 'pattern'],
    ),
    objectOf(
      {
        maxRecordBytes: separatorFields.maxRecordBytes,
        onTooLarge: separatorFields.onTooLarge,
        empty: separatorFields.empty,
      },
      { ...by('separator'), separator: text('The text between two records.') },
      ['by', 'separator'],
    ),
    objectOf(sizeFields, by('length-prefixed'), ['by']),
    objectOf(csvRowsFields, by('csv'), ['by']),
  ],
)

const encode: Schema = {
  description: 'The format of objects. Default: ndjson.',
  ...forms(
    '^(ndjson|json-array|concatenated|csv|separated:[\\s\\S]+|parquet(:[\\s\\S]+)?)$',
    ['ndjson', 'json-array', 'concatenated', 'csv', 'separated:\r\n', 'parquet', 'parquet:id bigint, name string'],
    [
      objectOf(ndjsonFields, by('ndjson'), ['by']),
      objectOf(csvFields, by('csv'), ['by']),
      objectOf(parquetFields, by('parquet'), ['by']),
    ],
  ),
}

const compress: Schema = {
  description: 'How objects are compressed. Default: not.',
  ...forms(
    '^(none|(gzip|zstd)(:\\d+)?)$',
    ['gzip', 'gzip:9', 'zstd', 'zstd:19', 'none'],
    [
      objectOf(gzipFields, by('gzip'), ['by']),
      objectOf(zstdFields, by('zstd'), ['by']),
      objectOf({}, by('none'), ['by']),
    ],
  ),
}

const timestampFrom = (description: string): Schema => ({
  description,
  anyOf: [
    { type: 'string', minLength: 1 },
    objectOf(timestampFields, { from: text('The field with the time.') }, ['from']),
  ],
})

const own = { encode: { $ref: '#/definitions/encode' }, compress: { $ref: '#/definitions/compress' } }

const destination: Schema = {
  anyOf: [
    {
      type: 'string',
      minLength: 1,
      description:
        'A folder, file:…, s3://bucket/prefix, https://…, firehose+https://…, splunk+https://…, opensearch+https://…/index, redshift://…, or - for standard output.',
      examples: ['./lake', 's3://lake/events/', '-'],
    },
    objectOf(s3Fields, { url: { type: 'string', pattern: '^[sS]3://' }, ...own }, ['url'], ['bucket']),
    objectOf({}, { url: { const: '-' }, ...own }, ['url']),
    objectOf(
      webhookFields,
      { url: { type: 'string', pattern: '^[hH][tT][tT][pP][sS]?:' }, ...own },
      ['url'],
      ['proxy'],
    ),
    objectOf(
      httpEndpointFields,
      {
        url: { type: 'string', pattern: '^firehose\\+https?:' },
        accessKey: text('What X-Amz-Firehose-Access-Key says.'),
      },
      ['url'],
    ),
    objectOf(
      splunkFields,
      {
        url: { type: 'string', pattern: '^splunk\\+https?:' },
        token: text('The token, or file: and where it stands. Default: HOSEPIPE_SPLUNK_TOKEN.'),
        time: timestampFrom('The field with the time of an event.'),
      },
      ['url'],
    ),
    objectOf(
      openSearchFields,
      {
        url: { type: 'string', pattern: '^opensearch\\+https?:' },
        index: text('The index, alias or data stream. Default: the last part of the address.'),
      },
      ['url'],
    ),
    objectOf(
      redshiftFields,
      {
        url: { type: 'string', pattern: '^redshift(\\+data)?://' },
        s3: {
          description: 'Where batches are put, as for s3://….',
          ...objectOf(s3Fields, { bucket: text('The bucket. Default: that of the address.') }),
        },
        connection: { description: 'Options of the connection beside the address: ssl, password …', type: 'object' },
        dataApi: { description: 'Options of the Data API beside the address: secretArn, dbUser …', type: 'object' },
        credentials: {
          description: 'Keys by which Redshift reads from S3, or file: and where they stand.',
          type: 'object',
        },
        ...own,
      },
      ['url'],
      ['table'],
    ),
    objectOf(
      fileFields,
      {
        url: {
          type: 'string',
          pattern: '^(?![sS]3:|[hH][tT][tT][pP][sS]?:|(firehose|splunk|opensearch)\\+|redshift(\\+data)?:|-$).',
        },
        ...own,
      },
      ['url'],
      ['dir'],
    ),
  ],
}

const retry: Schema = {
  description: 'How failed attempts are tried again; false for not at all.',
  anyOf: [{ const: false }, objectOf(retryFields)],
}

const transform: Schema = {
  anyOf: [
    { type: 'string', minLength: 1, description: 'The path of a module: its default export gets each record, parsed.' },
    objectOf(handlerFields, { lambda: text('The path of the module of a Lambda handler for Firehose.') }, ['lambda']),
    objectOf(
      transformFields,
      { edit: { description: 'Edits of members in the bytes of a record.', ...objectOf(editFields) }, retry },
      ['edit'],
      ['threads'],
    ),
    objectOf(
      transformFields,
      { blueprint: text('The name of a blueprint: apache-combined, syslog, …'), retry },
      ['blueprint'],
      ['threads'],
    ),
    ...Object.entries({
      filter: 'A module whose function says whether a record stays.',
      map: 'A module whose function makes one new record of each.',
      transform: 'A module whose function answers as those of transform() do.',
    }).map(([kind, about]) => objectOf(transformFields, { [kind]: text(about), retry }, [kind], ['threads'])),
  ],
}

/** What may stand in the options that no table has. */
const composed: Readonly<Record<string, Schema>> = {
  split: { description: 'How records are found in bytes. Default: lines.', ...split },
  transform: {
    description: 'What is done with each record; of a list, one after the other.',
    anyOf: [{ $ref: '#/definitions/transform' }, { type: 'array', items: { $ref: '#/definitions/transform' } }],
  },
  batch: {
    description: 'How records are gathered.',
    ...objectOf(batchFields, {
      timestampFrom: timestampFrom(
        'The field with the time of a record: a batch is of one hour, or of what the prefix tells apart.',
      ),
      key: {
        description:
          'A field (customer, geo.country), a template ({customer}/{geo.country}), jq: and a query, or a list of fields.',
        anyOf: [
          { type: 'string', minLength: 1 },
          { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 },
        ],
      },
    }),
  },
  to: {
    description: 'Where the records go; of a list, all of them to each.',
    anyOf: [
      { $ref: '#/definitions/destination' },
      { type: 'array', items: { $ref: '#/definitions/destination' }, minItems: 1 },
    ],
  },
  backup: {
    description: 'Where failed records go; discard: nowhere. Default: the first failed record ends the run.',
    anyOf: [{ const: 'discard' }, { $ref: '#/definitions/destination' }],
  },
  source: {
    description: 'A stream that is read: kafka://broker:9092/topic?group=name or kinesis://stream?checkpoints=file.',
    type: 'string',
    pattern: '^(kafka|kinesis)://',
  },
  sourceBackup: { description: 'Where a copy of every record goes, as it came.', $ref: '#/definitions/destination' },
  encode: { $ref: '#/definitions/encode' },
  compress: { $ref: '#/definitions/compress' },
  retry,
  backupBatch: { description: 'How failed records are gathered for the backup.', ...objectOf(backupBatchFields) },
}

/** The schema of a config. */
export function configSchema(): Schema {
  const plain = propertiesOf(configFields)
  const properties = Object.keys(configFields).map((name) => [name, composed[name] ?? plain[name]])
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'hosepipe config',
    description:
      'The options of firehose(), as `hosepipe --config FILE` reads them. Paths are relative to the folder of the file.',
    type: 'object',
    additionalProperties: false,
    properties: { $schema: text('Where this schema is.'), ...Object.fromEntries(properties) },
    definitions: {
      ...units,
      transform,
      encode,
      compress,
      destination,
    },
  }
}
