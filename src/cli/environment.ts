/** Variables of the environment in a config: `"bucket": "${BUCKET}"`. */
import { UsageError } from './usage-error.ts'

/** `${NAME}`, or `${NAME:-otherwise}`; behind another `$` it is text. */
const reference = /(\$?)\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}/g

/**
 * Puts variables where a config names them, in texts at any depth.
 *
 * @param path - The config's, for errors.
 * @throws UsageError that names a variable which is not set.
 */
export function withEnvironment(path: string, value: unknown, environment: NodeJS.ProcessEnv = process.env): unknown {
  if (typeof value === 'string') {
    return value.replace(reference, (text: string, dollar: string, name: string, otherwise: string | undefined) => {
      if (dollar !== '') return text.slice(1)
      const found = environment[name] ?? otherwise
      if (found === undefined) throw new UsageError(`${path} names \${${name}}, which is not set in the environment`)
      return found
    })
  }
  if (Array.isArray(value)) return value.map((item) => withEnvironment(path, item, environment))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withEnvironment(path, item, environment)]))
}
