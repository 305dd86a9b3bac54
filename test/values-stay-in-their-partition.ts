/** Values of records in object keys: the same for every destination, inside of their partition, and read back as what they were. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { file } from '../src/destinations/file/index.ts'
import { memory } from '../src/destinations/memory/index.ts'
import { s3 } from '../src/destinations/s3/index.ts'
import { batch, deliver, field, lines, source, split } from '../src/index.ts'
import { conserves } from './support/conservation.ts'
import { Duck } from './support/duckdb.ts'

const input = join(import.meta.dirname, 'inputs/keys.ndjson')
const given: readonly { readonly k: unknown; readonly i: number }[] = readFileSync(input, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line))
/** `null`, empty text, arrays and objects are no keys. */
const usable = given.filter(({ k }) => k !== '' && k !== null && typeof k !== 'object')

t.test('what DuckDB reads of a partition is the value', async (t) => {
  const dir = t.testdir({})
  const backup = memory({ name: 'backup' })
  const to = file({ dir, prefix: 'part=!{partitionKey:k}/', fsync: false })
  const inS3 = s3({ bucket: 'lake', prefix: 'part=!{partitionKey:k}/' })
  const keys: [string, string][] = []
  const end = deliver(
    {
      ...to,
      objectKey(batch, extension) {
        const key = to.objectKey?.(batch, extension) ?? ''
        keys.push([folderOf(key), folderOf(inS3.objectKey?.(batch, extension) ?? '')])
        return key
      },
    },
    { backup },
  )
  await pipeline(source(input), split(lines()), batch({ key: field('k') }), end)
  t.match(end.stats(), {
    in: given.length,
    delivered: usable.length,
    backedUp: given.length - usable.length,
    pending: 0,
  })
  conserves(t, end.stats())
  for (const [ofFile, ofS3] of keys) t.equal(ofFile, ofS3, 'the same key')

  const duck = await Duck.open(dir)
  t.teardown(() => duck.close())
  const rows = await duck.query(
    `SELECT i::INT AS i, part FROM read_json('${dir}/**/*.ndjson', hive_partitioning = true, hive_types_autocast = false,
      columns = {k: 'JSON', i: 'INT'})`,
  )
  const read = new Map(rows.map(({ i, part }) => [i, part]))
  for (const { k, i } of usable) t.equal(read.get(i), String(k), JSON.stringify(k))
})

function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/'))
}
