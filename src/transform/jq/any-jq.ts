import { compile } from './compile.ts'
import { jq } from './jq.ts'
import { jqWeb } from './jq-web.ts'
import { parse } from './parse.ts'
import type { JqQuery } from './query-function.ts'
import { QueryError } from './syntax.ts'

/**
 * A query, compiled if it can be, and otherwise for jq itself, which takes the package `jq-web`.
 *
 * @throws OptionError for what is no query; the promise is rejected with it
 */
export async function anyJq(query: string): Promise<JqQuery> {
  return isBeyond(query) ? jqWeb(query) : jq(query)
}

/** Whether jq knows what stands in a query, and only the compiler does not. */
function isBeyond(query: string): boolean {
  try {
    compile(parse(query))
    return false
  } catch (error) {
    if (error instanceof QueryError) return error.isBeyond
    throw error
  }
}
