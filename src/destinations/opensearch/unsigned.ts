/** What is authorized. */
export interface Unsigned {
  readonly method: string
  readonly url: URL
  /** The whole path, without the query. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | undefined
}

/** Makes the header fields of a request. */
export type Authorize = (unsigned: Unsigned) => Promise<Readonly<Record<string, string>>>
