import type { Batch } from '../batch/batch.ts'
import type { Compressor } from '../compress/compressor.ts'
import type { Encoder } from '../encode/encoder.ts'
import type { CalendarUnit } from '../time/calendar.ts'
import type { Size } from '../units.ts'

/** One attempt's worth of records, encoded and compressed: what a destination's `send` is called with. */
export interface Request {
  /** The same for every attempt at the same batch: a receiver's key against doubles. A random UUID. */
  readonly id: string
  /**
   * The same for every attempt with exactly these records: `id`, or one that is made from it for a part of them, since a receiver that knows
   * `id` would take a part for the whole.
   */
  readonly idempotencyKey: string
  /** The records themselves, for destinations that look at each; those that the encoder refused are not among them. */
  readonly batch: Batch
  /** How many records there are. */
  readonly length: number
  /** Where the batch goes, from the destination's `objectKey`; fixed before the first attempt. */
  readonly objectKey: string | undefined
  /** The body, encoded and compressed, as parts in order: the cheap form. */
  readonly parts: readonly Buffer[]
  /** The body in one piece; made from the parts when first asked for. What `fetch` and others take as a body. */
  readonly body: Buffer<ArrayBuffer>
  /** The body's bytes as they are sent. */
  readonly byteLength: number
  /** The body's bytes before compression. */
  readonly uncompressedLength: number
  /** The media type of the body before compression. */
  readonly contentType: string
  /** What to say in `Content-Encoding`; `undefined` for nothing. */
  readonly contentEncoding: string | undefined
  /**
   * The body as text.
   *
   * @throws TypeError when it is compressed.
   */
  text(): string
  /**
   * An id of the record at `index` that is the same for every attempt, in parts of the request too: `recordId` of its metadata where its source
   * has said one, otherwise the request's id and the record's place in it. For receivers that refuse what they have already.
   *
   * @throws RangeError when there is no such record.
   */
  recordId(index: number): string
  /**
   * Says that the destination has the records safe, but has not confirmed them yet: Splunk, before it acknowledges them. Their bytes leave the memory
   * and no longer count as under way; they stay pending. There can be no other attempt, nor a backup, from then on: where `send` rejects, or refuses some, the
   * stream ends with that error, and the records' source can give them again. Does nothing for a part of a request, and where
   * `backupMode: 'all'` needs the bytes for a copy.
   */
  stored(): void
  /** Whether the records' bytes were let go by `stored()`. */
  readonly isStored: boolean
  /** The same request with only the records at `indexes`, which ascend: encoded and compressed again, with the same id and object key. */
  select(indexes: readonly number[]): Promise<Request>
}

/** What comes with a request. */
export interface SendContext {
  /** Aborted when the attempt's time is over or the stream was destroyed: stop, and reject. */
  readonly signal: AbortSignal
  /** 1 for the first attempt. */
  readonly attempt: number
  /**
   * Tells that the destination tries again by itself, in `delay` milliseconds, because of `error`: what it has stored already, as `redshift()`
   * does. It is counted and published as any other retry. Left out where nobody listens.
   */
  readonly retrying?: ((delay: number, error: Error) => void) | undefined
}

/** One record that the destination did not take, while it took others. */
export interface Refusal {
  /** The record's place in the request. */
  readonly index: number
  /** Why; a string, or an error whose `code` goes into the backup record, and the texts of an object `backupMembers`, where it has one. */
  readonly error: Error | string
  /** Whether sending it again may help. Default `false`. */
  readonly retryable?: boolean | undefined
}

/** All records of a request are where they can be loaded from later, but not where they should be. */
export interface SelfBackedUp {
  /** Why; its `code` is counted. */
  readonly backedUp: Error
}

/** What a `send` may resolve to: nothing when all was taken; the records that were not; or that the destination has backed all of them up by itself. */
export type SendResult = undefined | { readonly refused: readonly Refusal[] } | SelfBackedUp

/**
 * Delivers one request. It is called once for each attempt, several at a time up to the destination's `concurrency`.
 *
 * Resolve when the destination has confirmed the records: from then on they count as delivered and their source may forget them.
 * Reject when it took none; whether that is tried again is told by the error (see `retry`). Resolve to `{ refused }` when it took
 * some: those are sent again or backed up, and the others are delivered. Resolve to `{ backedUp }` when it has put all of them where they can be
 * loaded from later, which a destination of S3 objects can: they count as backed up, and nothing more is done with them.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: an async function without a return is how most authors write it
export type Send = (request: Request, context: SendContext) => Promise<SendResult | void>

/** What a destination takes in one request. */
export interface Limits {
  /**
   * Bytes of an encoded body before compression, or a size such as `'5MiB'`. A batch beyond it is cut; a record beyond it goes to the
   * backup. Default: no limit.
   */
  readonly maxBytes?: Size | undefined
  /** Records in a request. A batch beyond it is cut. Default: no limit. */
  readonly maxRecords?: number | undefined
}

/** What the times in object keys tell apart. */
export interface PrefixTimes {
  /** The shortest that has a name of its own; `undefined` where there are no times. */
  readonly unit: CalendarUnit | 'second' | undefined
  /** The zone that times are printed in. */
  readonly timeZone: string
}

/** Somewhere that batches go. `send` is all that an author has to write; retries, timeouts, backup and the account come from outside. */
export interface Destination {
  /** What it is called in reports and errors, and in the backup's object keys: `<name>-failed`. */
  readonly name: string
  /** Delivers one request; see {@link Send}. */
  readonly send: Send
  /** What it takes in one request. */
  readonly limits?: Limits | undefined
  /** The format it wants. Default: `ndjson()`. */
  readonly encode?: Encoder | undefined
  /** How bodies are compressed. Default: not. */
  readonly compress?: Compressor | undefined
  /** Whether its format is a part of its protocol, so that `deliver` takes no other, nor a compression. Default `false`. */
  readonly fixedFormat?: boolean | undefined
  /** Requests at a time, unless `deliver` says otherwise. Default 4. */
  readonly concurrency?: number | undefined
  /** What one attempt may take, in milliseconds, unless `deliver` says otherwise: longer for those that wait to be confirmed. Default 180,000. */
  readonly timeout?: number | undefined
  /**
   * Names where a batch goes. Called once for each batch, before its first attempt, so that every attempt writes the same object.
   *
   * @param extension - What the format and the compression end in: `.ndjson.gz`.
   */
  readonly objectKey?: ((batch: Batch, extension: string) => string) | undefined
  /**
   * The names of the partition keys that `objectKey` needs. Batches without one of them are refused before anything is sent. Default: none.
   */
  readonly partitionKeys?: readonly string[] | undefined
  /**
   * What the times in its object keys tell apart, for batches of records that have a time of their own (`timestampFrom`). Default: nothing is
   * known.
   */
  readonly prefixTimes?: PrefixTimes | undefined
  /**
   * Looks whether the destination can be used, before anything is sent to it: called by each stream that delivers to it, and by
   * `hosepipe check --connect`. Reject for mistakes of configuration, which end the stream with the error; resolve where it is only out of
   * order, since attempts are made again.
   */
  readonly open?: (() => Promise<void>) | undefined
  /** Called once, after the last request has ended. */
  readonly close?: (() => Promise<void>) | undefined
}
