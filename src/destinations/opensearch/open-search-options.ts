import type { Batch } from '../../batch/batch.ts'
import type { Clock } from '../../clock.ts'
import { OptionError } from '../../errors.ts'
import {
  clock,
  described,
  expecting,
  type Fields,
  filled,
  flag,
  hasMethod,
  type InForce,
  oneOf,
  option,
  readOptions,
  required,
  size,
  whole,
} from '../../options.ts'
import { FieldReader } from '../../transform/field.ts'
import type { Size } from '../../units.ts'
import { type HttpClientOptions, httpClientFields, urlField } from '../http-client/http-client.ts'
import { authForms, isAuth, type SearchAuth } from './authorization.ts'
import type { Action } from './bulk-body.ts'
import type { SearchClient } from './client-cluster.ts'
import type { Rotation, WeekRule } from './index-name.ts'

/** Options of {@link openSearch}. */
export interface OpenSearchOptions extends HttpClientOptions {
  /** The address of the cluster, or those of several nodes, which are asked in turn; without user and password. Default: that of `client`. */
  readonly node?: string | URL | readonly (string | URL)[] | undefined
  /** A client of `@opensearch-project/opensearch` or `@elastic/elasticsearch`, which sends instead; it is not closed here. Default: none. */
  readonly client?: SearchClient | undefined
  /** Who asks: `{ username, password }`, `{ apiKey }`, `{ bearer }`, `{ sigV4: { region } }`. Default: nobody is named. */
  readonly auth?: SearchAuth | undefined
  /**
   * The index, alias or data stream: text, in which there may be `!{partitionKey:name}` and `!{timestamp:yyyy.MM.dd}` as in prefixes of
   * `s3()`, in UTC; or a function of the batch. What is no name of an index sends the batch to the backup.
   */
  readonly index: string | ((batch: Batch) => string)
  /**
   * How often another index is begun, whose name has the hour, day, week or month behind it, in UTC: `events-2016-02-25-13`, `-2016-02-25`,
   * `-2016-w08`, `-2016-02`. It is that of the oldest record of a batch; with `timestampFrom` of `batch` that of all of them. Default `'none'`.
   */
  readonly rotation?: Rotation | undefined
  /**
   * How weeks are counted: `'iso'` from Monday, the first one having the year's first Thursday; `'us'` from Sunday, the first one having its
   * first Saturday. The guide of the service names both, one in its words and one in its table. Default `'iso'`, that of the table.
   */
  readonly weekRule?: WeekRule | undefined
  /**
   * What is done: `'index'` writes a document, over one of the same id; `'create'` only writes new ones, as data streams need it; `'update'`
   * adds members to the document of this id, or creates it; `'delete'` deletes the document of this id. Default `'index'`.
   */
  readonly action?: Action | undefined
  /**
   * The id of a document: `'record'` for one of ours, the same for every attempt, so that an attempt whose answer was lost makes no double;
   * `'none'` for one that the cluster makes, which is faster; or `field('id')` of the record, of at most 512 bytes. `'update'` and `'delete'`
   * need a field. Default `'record'`.
   */
  readonly documentId?: 'record' | 'none' | FieldReader | undefined
  /** What documents are sent to a shard by: text, or a `field()` of the record. Default: the id. */
  readonly routing?: string | FieldReader | undefined
  /** The ingest pipeline. Default: that of the index. */
  readonly pipeline?: string | undefined
  /** Whether `index` must be an alias. Default `false`. */
  readonly requireAlias?: boolean | undefined
  /** Whether bodies are compressed. Default `'none'`. */
  readonly contentEncoding?: 'gzip' | 'none' | undefined
  /** Bytes of a request before compression. At most 100 MiB, what a cluster takes by default; some domains of AWS take 10 MiB. Default 10 MiB. */
  readonly maxBytes?: Size | undefined
  /** Documents of a request. Default: no limit but that of bytes. */
  readonly maxRecords?: number | undefined
  /** Requests at a time. Default: that of `deliver`. */
  readonly concurrency?: number | undefined
  /** Time, for tests. Default: the system's. */
  readonly clock?: Clock | undefined
}

const MiB = 1024 * 1024

const isField = (value: unknown): boolean => value instanceof FieldReader

/** How the field of a record is written in a config. */
const fieldSchema = { type: 'object', properties: { field: { type: 'string' } }, required: ['field'] }

/** The table of {@link OpenSearchOptions}. */
export const openSearchFields = {
  ...httpClientFields,
  node: described(
    expecting(
      'an http: or https: URL without user and password, or several',
      (value) => (Array.isArray(value) ? value.length > 0 && value.every(urlField.accepts) : urlField.accepts(value)),
      { anyOf: [urlField.written, { type: 'array', items: urlField.written, minItems: 1 }] },
    ),
    'The address of the cluster, or of several nodes.',
  ),
  client: expecting('a client of OpenSearch or Elasticsearch', (value) =>
    hasMethod(Object(value).transport, 'request'),
  ),
  auth: described(
    expecting(authForms, isAuth, { type: 'object' }),
    'Who asks; on the command line from the environment.',
  ),
  index: required(
    expecting('the name of an index, or a function', (value) => filled.accepts(value) || typeof value === 'function', {
      ...filled.written,
    }),
    'The index, alias or data stream: text with !{partitionKey:name} and !{timestamp:yyyy.MM.dd} in it.',
  ),
  rotation: option(oneOf('none', 'hour', 'day', 'week', 'month'), {
    default: 'none',
    about: 'How often another index is begun.',
  }),
  weekRule: option(oneOf('iso', 'us'), { default: 'iso', about: 'How weeks are counted.' }),
  action: option(oneOf('index', 'create', 'update', 'delete'), { default: 'index', about: 'What is done.' }),
  documentId: option(
    expecting("'record', 'none' or a field(…)", (value) => value === 'record' || value === 'none' || isField(value), {
      anyOf: [{ enum: ['record', 'none'] }, fieldSchema],
    }),
    { default: 'record', about: 'The id of a document: record, none, or { "field": "id" }.' },
  ),
  routing: described(
    expecting('text, or a field(…)', (value) => filled.accepts(value) || isField(value), {
      anyOf: [filled.written, fieldSchema],
    }),
    'What documents are sent to a shard by: text, or { "field": "tenant" }.',
  ),
  pipeline: described(filled, 'The ingest pipeline.'),
  requireAlias: option(flag, { default: false, about: 'Whether index must be an alias.' }),
  contentEncoding: option(oneOf('gzip', 'none'), { default: 'none', about: 'Whether bodies are compressed.' }),
  maxBytes: option(size(1, 100 * MiB), { default: 10 * MiB, about: 'Bytes of a request before compression.' }),
  maxRecords: described(whole('documents'), 'Documents of a request.'),
  concurrency: described(whole('requests at a time'), 'Requests at a time. Default: that of the way.'),
  clock,
} satisfies Fields<OpenSearchOptions>

/** Reads the options, and checks them together. @throws OptionError */
export function readOpenSearchOptions(options: OpenSearchOptions): InForce<OpenSearchOptions, typeof openSearchFields> {
  const read = readOptions('openSearch', options, openSearchFields)
  const refuse = (name: string, words: string): never => {
    throw new OptionError(`openSearch.${name}`, `openSearch: ${name} ${words}`)
  }
  if ((options.node === undefined) === (options.client === undefined))
    refuse('node', 'or client must be given, one of them')
  for (const name of ['auth', 'tls', 'proxy', 'dispatcher'] as const) {
    if (options.client !== undefined && options[name] !== undefined)
      refuse(name, 'is said to the client, where there is one')
  }
  if ((read.action === 'update' || read.action === 'delete') && !isField(read.documentId)) {
    refuse('documentId', `must be a field(…) with action: '${read.action}'`)
  }
  return read
}
