import type { HttpClientOptions } from '../destinations/http-client/http-client.ts'
import type { SearchAuth } from '../destinations/opensearch/index.ts'
import type { S3Options } from '../destinations/s3/s3-options.ts'
import type { ParquetSchema } from '../encode/parquet/index.ts'
import type { KafkaOptions } from '../sources/kafka/index.ts'
import type { KinesisOptions } from '../sources/kinesis/index.ts'
import type { LambdaHandler } from '../transform/lambda/call-handler.ts'
import type { HandlerOptions } from '../transform/lambda/handler.ts'
import type { LambdaOptions } from '../transform/lambda/lambda.ts'
import type { BytesFunction, RecordFunction } from '../transform/view.ts'

/** What stands for a Lambda function. */
export type FunctionStandIn = RecordFunction | BytesFunction | URL | string | HandlerStandIn

/** A handler as it is, and how it is run. */
export interface HandlerStandIn extends Pick<HandlerOptions, 'threads' | 'exportName' | 'timeout' | 'functionName'> {
  /** The handler, or the path or URL of its module. */
  readonly handler: LambdaHandler | URL | string
}

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
  /**
   * What stands for Lambda functions, by their ARNs: functions that `transform` takes; handlers for Firehose as they are, by the path or URL of their module, or with options of `handler()`. Default: none.
   */
  readonly functions?: Readonly<Record<string, FunctionStandIn>> | undefined
  /** A client of Lambda, or `true` for one that is made from the environment: functions that `functions` does not have are invoked then. Default: they are refused. */
  readonly lambda?: LambdaOptions['client'] | true
  /** How a stream of Kinesis is read that is the source: `{ from: 'trimHorizon', checkpoints: fileCheckpoints('./c.json') }`; see `kinesis()`. Default: from now on, as in the service, and nothing is kept of how far it is. */
  readonly kinesis?: Omit<KinesisOptions, 'streamName' | 'streamArn'> | undefined
  /** How a cluster of MSK is read that is the source: `{ brokers: 'localhost:9092' }`; see `kafka()`. Its group is called as the delivery stream, and it is read from now on, as in the service, where nothing else is said. Default: none; such a source is refused. */
  readonly kafka?: (Omit<KafkaOptions, 'topics' | 'groupId'> & { readonly groupId?: string | undefined }) | undefined
  /** Columns that stand for tables of Glue, by `database.table`. Default: none. */
  readonly schemas?: Readonly<Record<string, ParquetSchema>> | undefined
}
