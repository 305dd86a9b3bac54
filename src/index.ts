/**
 * hosepipe: what users import, in the order of the data's way. Destinations have subpaths of their own, and so has what needs a
 * package that not everybody has: `hosepipe/file`, `hosepipe/memory`, `hosepipe/s3`, `hosepipe/http`, `hosepipe/opensearch`,
 * `hosepipe/splunk`, `hosepipe/redshift`, `hosepipe/http-server`, `hosepipe/direct-put`, `hosepipe/kinesis`, `hosepipe/kafka`, `hosepipe/lambda`, `hosepipe/jq`, `hosepipe/blueprints`,
 * `hosepipe/delivery-stream`, `hosepipe/parquet`, `hosepipe/csv`.
 */
export {
  type Firehose,
  type FirehoseOptions,
  type FunctionWithOptions,
  firehose,
  type Transforming,
} from './firehose.ts'

// What flows.
export { Batch, type BatchFacts } from './batch/batch.ts'
export { FailedRecords, type Failure } from './records/failed-records.ts'
export { type Place, type Places, type PlacesShape, placesOf } from './records/places.ts'
export { type Metadata, type MetadataColumn, metadataOf, sharedMetadata } from './records/metadata.ts'
export { type Provenance, Records } from './records/records.ts'

// Bytes from files.
export type { Source, SourceOptions } from './sources/file-source.ts'
export type { RecordSource } from './sources/record-source.ts'
export { type RecordSourceOptions, source, type TailOptions } from './sources/source.ts'
export { type DecompressOptions, decompress } from './decompress/decompress.ts'
export type { ReadableFormat } from './decompress/format.ts'

// Bytes to records.
export type { Selects } from './split/json-selection-splitter.ts'
export { type JsonValuesOptions, jsonValues } from './split/json-values.ts'
export { type LengthPrefixedOptions, lengthPrefixed } from './split/length-prefixed.ts'
export { type MultilineOptions, multiline } from './split/multiline.ts'
export { type LinesOptions, lines } from './split/lines.ts'
export { type SeparatorOptions, separator } from './split/separator.ts'
export { type SplitOptions, split } from './split/split.ts'
export type { SplitOutlet, Splitter, SplitterState } from './split/splitter.ts'
export type { TooLargePolicy } from './split/too-large.ts'

// Records to records.
export type { EditComparison, EditTest } from './transform/edit/conditions.ts'
export { edit } from './transform/edit/edit.ts'
export type { EditOptions, EditValue } from './transform/edit/edit-options.ts'
export { type FieldOptions, type FieldPath, FieldReader, field } from './transform/field.ts'
export { type MetadataOptions, MetadataReader, metadata } from './transform/metadata-reader.ts'
export { type CloudWatchLogsOptions, cloudWatchLogs } from './transform/unpack/cloudwatch-logs.ts'
export { type ConcatenatedJsonOptions, concatenatedJson } from './transform/unpack/concatenated-json.ts'
export { type KplOptions, kpl } from './transform/unpack/kpl.ts'
export { drop, type Fail, fail, type Several, several, type TransformResult } from './transform/result.ts'
export { type ThreadOptions, type TransformOptions, transform } from './deliver/backup/transform-with-backup.ts'
export {
  type BytesFunction,
  type Context,
  filter,
  json,
  map,
  type Reader,
  type RecordFunction,
  type TextOptions,
  text,
} from './transform/view.ts'

// Records to batches, and back.
export {
  type BatchOptions,
  type BatchStage,
  batch,
  type ClockBorders,
  type ClockUnit,
  MiB,
} from './batch/batch-stage.ts'
export type { TimestampFrom, TimestampFunction, TimestampOptions, TimestampSource } from './batch/keys/record-time.ts'
export type { Key, KeyFunction, KeyPart, KeyValue } from './batch/keys/key.ts'
export type { KeyPartReader, KeyParts } from './transform/key-parts.ts'
export { type UnbatchOptions, unbatch } from './batch/unbatch.ts'

// Batches to bodies.
export { concatenated } from './encode/concatenated.ts'
export type { Encoded, Encoder, Overhead, PartlyEncoded, RecordIds, UnfitRecord } from './encode/encoder.ts'
export { jsonArray } from './encode/json-array.ts'
export { type NdjsonOptions, ndjson } from './encode/ndjson.ts'
export { separated } from './encode/separated.ts'
export type { Compressor } from './compress/compressor.ts'
export { type GzipOptions, gzip } from './compress/gzip.ts'
export { none } from './compress/none.ts'
export { hadoopSnappy, snappy } from './compress/snappy.ts'
export { type ZipOptions, zip } from './compress/zip.ts'
export { type ZstdOptions, zstd } from './compress/zstd.ts'

// Bodies to destinations.
export { type Discard, discard } from './deliver/backup/backup.ts'
export { type BackupRecord, readBackupRecord, replay } from './deliver/backup/backup-record.ts'
export type { BackupTarget } from './deliver/backup/backup-stream.ts'
export { backupTo } from './deliver/backup/backup-to.ts'
export { type DeliverStream, deliver } from './deliver/deliver.ts'
export type { BackupBatchOptions, DeliverOptions } from './deliver/deliver-options.ts'
export type { CalendarUnit } from './time/calendar.ts'
export type {
  Destination,
  Limits,
  PrefixTimes,
  Refusal,
  Request,
  Send,
  SendContext,
  SelfBackedUp,
  SendResult,
} from './deliver/destination.ts'
export { type Branch, type FanOutStream, fanOut } from './deliver/branches/fan-out.ts'
export { type HttpAnswer, HttpError, type HttpErrorOptions } from './deliver/http-error.ts'
export type { HeaderFields } from './retry/retry-after.ts'
export type { CopyTarget } from './deliver/branches/copies.ts'
export type { Way } from './deliver/branches/lane.ts'
export type { RetryOptions } from './retry/retry-options.ts'
export { type SourceBackupOptions, type SourceBackupStage, sourceBackup } from './deliver/branches/source-backup.ts'
export type { CodeCounts } from './deliver/failure-counts.ts'
export type { DeliverStats } from './deliver/stats.ts'

export type { Duration, DurationText, Size, SizeText } from './units.ts'

// What everything stands on, for authors of sources and tests.
export { Checkpoints } from './receipts/checkpoints.ts'
export { type Clock, systemClock } from './clock.ts'
export { type ErrorCode, errorCodes, HosepipeError, OptionError } from './errors.ts'
export {
  Account,
  type Counts,
  type Ending,
  type FailureReason,
  type Origin,
  type Position,
  Receipt,
  type ReceiptOptions,
} from './receipts/receipts.ts'
export {
  type AttemptEnded,
  type BackedUp,
  type BatchClosed,
  type ClosedBy,
  channelNames,
  type RecordsFailed,
  type Reported,
  type RetryScheduled,
} from './report.ts'
export type { Work } from './stage/door.ts'
export type { Ended } from './stage/sender.ts'
export type { Stage, StageOptions } from './stage/stage.ts'
