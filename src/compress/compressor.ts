import { expecting, hasMethod } from '../options.ts'

/** How a body is made smaller before it is sent. */
export interface Compressor {
  /** The format's name: `gzip`. */
  readonly name: string
  /** What is added to an object's extension: `.gz`; empty for none. */
  readonly extension: string
  /** The value for a `Content-Encoding` header; `undefined` for none. */
  readonly contentEncoding: string | undefined
  /**
   * Compresses a body.
   *
   * @param parts - The body in order.
   * @returns The compressed body as parts in order.
   */
  compress(parts: readonly Buffer[]): Promise<readonly Buffer[]>
}

/** The field of an option that takes a {@link Compressor}. */
export const compressorField = expecting(
  'a compressor, such as gzip()',
  (value) => hasMethod(value, 'compress') && 'extension' in value,
)
