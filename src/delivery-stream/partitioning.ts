/** Dynamic partitioning: keys by a query, by functions, or by both (developer guide of the service, "Dynamic partitioning"). */
import type { Key } from '../batch/keys/key.ts'
import { partitionKeysIn } from '../destinations/object-key/template.ts'
import { OptionError } from '../errors.ts'
import { anyJq } from '../transform/jq/any-jq.ts'
import { metadata } from '../transform/metadata-reader.ts'
import { readRetry } from './buffering.ts'
import { type Members, refusal } from './members.ts'
import type { Processing } from './processors.ts'

/** How records are told apart. */
export interface Partitioning {
  /** How long writing is tried, in milliseconds. */
  readonly retryFor: number
  /** Makes the key. */
  key(): Promise<Key>
}

const fromLambda = /!\{partitionKeyFromLambda:([^}]+)\}/g
const maxKeys = 50

/** Reads `DynamicPartitioningConfiguration`; `undefined` where nothing is partitioned. */
export function readPartitioning(members: Members, { query, transform }: Processing): Partitioning | undefined {
  const section = members.section('DynamicPartitioningConfiguration')
  const isEnabled = section?.flag('Enabled') ?? false
  const retry = section && readRetry(section)
  section?.end()
  if (!isEnabled || section === undefined || retry === undefined) {
    if (query !== undefined) throw refusal(query.path, 'needs DynamicPartitioningConfiguration.Enabled')
    return undefined
  }
  const prefix = members.peekedText('Prefix') ?? ''
  if (members.peekedText('ErrorOutputPrefix') === undefined)
    throw refusal(members.at('ErrorOutputPrefix'), 'is missing: dynamic partitioning needs it')
  const named = Array.from(prefix.matchAll(fromLambda), ([, name = '']) => name)
  if (named.length > 0 && transform.length === 0) {
    throw refusal(members.at('Prefix'), 'has keys of a Lambda function, but there is no processor of type Lambda')
  }
  if (query === undefined && named.length === 0) {
    throw refusal(section.path, 'needs a processor of type MetadataExtraction, or keys of a Lambda function in Prefix')
  }
  return { retryFor: retry.retryFor, key: () => keyOf(query, named, partitionKeysIn(prefix), members.at('Prefix')) }
}

async function keyOf(
  query: Processing['query'],
  named: readonly string[],
  used: readonly string[],
  prefixPath: string,
): Promise<Key> {
  const parts = { ...(await partsOf(query)) }
  const count = Object.keys(parts).length
  if (query !== undefined && count > maxKeys) {
    throw refusal(query.path, `has a query with ${count} keys, and there may be ${maxKeys}`)
  }
  for (const name of Object.keys(parts)) {
    if (!used.includes(name))
      throw refusal(prefixPath, `must use all keys, but has no !{partitionKeyFromQuery:${name}}`)
  }
  for (const name of used) {
    if (Object.hasOwn(parts, name) || named.includes(name)) continue
    throw refusal(prefixPath, `has the key ${name}, which the query does not make`)
  }
  for (const name of named) {
    if (Object.hasOwn(parts, name)) throw refusal(prefixPath, `has the key ${name} both of the query and of a function`)
    parts[name] = metadata(`partitionKeys.${name.replaceAll('.', '\\.')}`)
  }
  return { keyParts: parts }
}

async function partsOf(query: Processing['query']) {
  if (query === undefined) return {}
  try {
    const { keyParts } = await anyJq(query.text)
    return keyParts
  } catch (error) {
    if (error instanceof OptionError) throw refusal(query.path, `has a query that cannot be taken: ${error.message}`)
    throw error
  }
}
