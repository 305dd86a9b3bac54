/**
 * Has Node itself find what tap's loader of TypeScript cannot: it knows no patterns with an end in the `exports` of a package
 * (`./src/*.js`), which hyparquet has. To be imported before such a package is.
 */
import { register } from 'node:module'

const hooks = `
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

export async function resolve(specifier, context, next) {
  if (!/^hyparquet\\/src\\//.test(specifier) || context.parentURL === undefined) return next(specifier, context)
  const url = pathToFileURL(createRequire(context.parentURL).resolve(specifier)).href
  return { url, format: 'module', shortCircuit: true }
}`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)
