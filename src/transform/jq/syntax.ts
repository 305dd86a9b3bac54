/** The syntax of queries: what a parser makes of them. Names are those of jq's manual. */

/** A query. */
export type Query =
  | { readonly kind: 'identity' }
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'text'; readonly parts: readonly (string | Query)[]; readonly format: string | undefined }
  | { readonly kind: 'format'; readonly name: string; readonly at: number }
  | { readonly kind: 'index'; readonly of: Query; readonly by: Query; readonly isOptional?: true }
  | {
      readonly kind: 'slice'
      readonly of: Query
      readonly from: Query | undefined
      readonly to: Query | undefined
      readonly isOptional?: true
    }
  | { readonly kind: 'each'; readonly of: Query; readonly isOptional?: true }
  | { readonly kind: 'try'; readonly of: Query; readonly otherwise: Query | undefined }
  | { readonly kind: 'pipe' | 'comma' | 'alternative' | 'and' | 'or'; readonly left: Query; readonly right: Query }
  | { readonly kind: 'operation'; readonly operator: Operator; readonly left: Query; readonly right: Query }
  | { readonly kind: 'negation'; readonly of: Query }
  | { readonly kind: 'array'; readonly of: Query | undefined }
  | { readonly kind: 'object'; readonly members: readonly Member[] }
  | { readonly kind: 'if'; readonly condition: Query; readonly then: Query; readonly otherwise: Query }
  | { readonly kind: 'call'; readonly name: string; readonly parameters: readonly Query[]; readonly at: number }

/** A member of an object that a query makes. */
export interface Member {
  readonly key: Query
  readonly value: Query
}

/** What stands between two values that become one. */
export type Operator = '+' | '-' | '*' | '/' | '%' | '==' | '!=' | '<' | '<=' | '>' | '>='

/** Why a query cannot be compiled, and where in it. */
export class QueryError extends Error {
  override readonly name = 'QueryError'
  /** The position in the query, from 0. */
  readonly at: number
  /** Whether jq knows what stands there, and only this compiler does not. */
  readonly isBeyond: boolean

  constructor(message: string, at: number, isBeyond = false) {
    super(message)
    this.at = at
    this.isBeyond = isBeyond
  }
}
