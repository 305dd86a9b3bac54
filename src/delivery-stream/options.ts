import type { HttpClientOptions } from '../destinations/http-client/http-client.ts'
import type { SearchAuth } from '../destinations/opensearch/index.ts'
import type { S3Options } from '../destinations/s3/s3-options.ts'
import type { ParquetSchema } from '../encode/parquet/index.ts'
import type { BytesFunction, RecordFunction } from '../transform/view.ts'

/** What a configuration of AWS does not say, or says for AWS only. */
export interface DeliveryStreamOptions {
  /** The stream's name in object keys. Default: `DeliveryStreamName` of the configuration. */
  readonly name?: string | undefined
  /** The stream's version in object keys. Default 1. */
  readonly version?: number | undefined
  /** The stream's ARN, which HTTP endpoints are told. Default: none. */
  readonly arn?: string | undefined
  /** A folder: buckets are folders below it then, and no S3 is asked. Default: none, and buckets are those of S3. */
  readonly dir?: string | undefined
  /** A client of S3 for all buckets. Default: one that is made from the environment; see `s3()`. */
  readonly client?: S3Options['client']
  /** Other addresses for those of the configuration: `{ 'https://http-inputs.example.com': 'http://127.0.0.1:8088' }`, domains of OpenSearch by their ARN. Default: none. */
  readonly endpoints?: Readonly<Record<string, string>> | undefined
  /** Who asks clusters of OpenSearch: see `openSearch()`. Default: nobody is named. */
  readonly searchAuth?: SearchAuth | undefined
  /** TLS and proxy of destinations that are asked by HTTP. Default: Node's own. */
  readonly http?: HttpClientOptions | undefined
  /** Functions that stand for Lambda functions, by their ARNs. Default: none. */
  readonly functions?: Readonly<Record<string, RecordFunction | BytesFunction>> | undefined
  /** Columns that stand for tables of Glue, by `database.table`. Default: none. */
  readonly schemas?: Readonly<Record<string, ParquetSchema>> | undefined
}
