/**
 * What may import what. The rooms of `src` stand on floors that follow the data's way, and each imports only from floors below it;
 * files at the top are rooms of their own. No two files import each other, not even by a detour or for types alone.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { modules, packageOf, root } from '../support/modules.ts'

/** From the ground up. Rooms on the same floor know nothing of each other. */
const floors: readonly (readonly string[])[] = [
  ['clock.ts', 'logs-to-stderr.ts', 'redact.ts', 'report.ts', 'units.ts', 'memory', 'peer-packages.ts'],
  ['errors.ts', 'decimal.ts'],
  ['sent-error.ts', 'own-files.ts'],
  ['time'],
  ['options.ts', 'code-mistake.ts', 'receipts'],
  ['records', 'compress', 'decompress', 'retry'],
  ['stage'],
  ['split', 'transform'],
  ['batch'],
  ['encode'],
  ['deliver'],
  ['sources', 'destinations', 'firehose.ts'],
  ['index.ts', 'delivery-stream', 'lambda'],
  ['cli', 'example'],
]

const graph = modules()
const roomOf = (file: string): string => file.split('/')[0] ?? file
const floorOf = (file: string): number => floors.findIndex((rooms) => rooms.includes(roomOf(file)))
const manifest: {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
  readonly bin?: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const sourceOf = (target: string): string => target.replace(/^(?:\.\/)?dist\//, '').replace(/js$/, 'ts')

/** The entry files of the package, by their export path. */
const entries = Object.entries(manifest.exports).flatMap(([path, target]) =>
  typeof target === 'string' ? [] : [{ path, target, file: sourceOf(target.default) }],
)

t.test('each room imports only from floors below it', async (t) => {
  t.ok(graph.size > 50, 'all of src is looked at')
  t.same(
    [...graph.keys()].filter((file) => floorOf(file) === -1),
    [],
    'every file is in a room that has its place',
  )
  const wrong = [...graph].flatMap(([file, imports]) =>
    imports.flatMap(({ file: other }) =>
      other === undefined || roomOf(other) === roomOf(file) || floorOf(other) < floorOf(file)
        ? []
        : `${file} ⇒ ${other}`,
    ),
  )
  t.same(wrong, [])
})

t.test(
  'every imported file exists, and files that nothing imports are the ones that are run or exported',
  async (t) => {
    const imported = new Set([...graph.values()].flatMap((imports) => imports.flatMap(({ file }) => file ?? [])))
    t.same(
      [...imported].filter((file) => file.endsWith('.ts') && !graph.has(file)),
      [],
    )
    const roots = [
      ...entries.map(({ file }) => file),
      'example/main.ts',
      'cli/main.ts',
      'transform/lambda/handler-worker.ts',
      'transform/threads/worker.ts',
      'split/pattern-worker.ts',
      'cli/busy-worker.ts',
      'cli/config-schema.ts',
      'encode/parquet/group-worker.ts',
      'cli/serve-schema.ts',
    ]
    t.same(
      [...graph.keys()].filter((file) => !imported.has(file) && !roots.includes(file)),
      [],
    )
  },
)

t.test('no file imports itself by a detour, types included', async (t) => {
  const done = new Set<string>()
  const cycles: string[] = []
  const walk = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) cycles.push([...way.slice(way.indexOf(file)), file].join(' ⇒ '))
    if (way.includes(file) || done.has(file)) return
    for (const { file: other } of graph.get(file) ?? []) if (other !== undefined) walk(other, [...way, file])
    done.add(file)
  }
  for (const file of graph.keys()) walk(file, [])
  t.same(cycles, [])
})

/** Packages that are loaded when a file is. */
function reach(entry: string): Set<string> {
  const seen = new Set<string>()
  const packages = new Set<string>()
  const walk = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    for (const found of graph.get(file) ?? []) {
      if (found.isTypeOnly || found.isLater) continue
      if (found.package !== undefined) packages.add(found.package)
      if (found.file !== undefined) walk(found.file)
    }
  }
  walk(entry)
  return packages
}

t.test('importing hosepipe loads nothing that belongs to a destination', async (t) => {
  const peers = Object.keys(manifest.peerDependencies ?? {})
  for (const entry of [
    'index.ts',
    'destinations/file/index.ts',
    'destinations/memory/index.ts',
    'encode/parquet/index.ts',
  ]) {
    const packages = [...reach(entry)]
    const unwanted = packages.filter(
      (name) => peers.includes(name) || /^@(?:js-joda|aws-sdk|smithy|cloudpss)\//.test(name),
    )
    t.same(unwanted, [], entry)
  }
  t.ok(reach('index.ts').has('split2'), 'the walk finds what is there')
  t.ok(reach('destinations/s3/index.ts').has('@aws-sdk/client-s3'), 'the walk finds what is there')
})

t.test('only packages that a user has are imported', async (t) => {
  const known = [manifest.dependencies, manifest.peerDependencies ?? {}].flatMap((list) => Object.keys(list))
  const unknown = [...graph].flatMap(([file, imports]) => {
    if (roomOf(file) === 'example') return []
    return imports.flatMap(({ package: name }) =>
      name === undefined || known.includes(packageOf(name)) ? [] : `${file} ⇒ ${name}`,
    )
  })
  t.same(unknown, [])
  const imported = new Set([...graph.values()].flatMap((imports) => imports.flatMap(({ package: name }) => name ?? [])))
  t.same(
    Object.keys(manifest.dependencies).filter((name) => !imported.has(name)),
    [],
    'and every dependency is',
  )
})

t.test('every export of the package has a file and its declarations', async (t) => {
  for (const { path, target, file } of entries) {
    t.ok(graph.has(file), `${path} is made of src/${file}`)
    t.equal(target.types, target.default.replace(/\.js$/, '.d.ts'), `${path} has its declarations beside it`)
    t.equal(Object.keys(target)[0], 'types', `${path} names its types first, as resolvers read in order`)
  }
})
