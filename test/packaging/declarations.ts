/**
 * What users see of the types: the public API has a comment on each name and each member, the types say what users rely on, and the
 * examples of all pages compile, and run where they say so.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import ts from 'typescript'
import { Duck } from '../support/duckdb.ts'
import { root } from '../support/modules.ts'
import { type CodeBlock, codeBlocks } from '../support/readme.ts'

/** Where the export paths lead in the source. */
const entries: Readonly<Record<string, string>> = {
  hosepipe: join(root, 'src/index.ts'),
  'hosepipe/csv': join(root, 'src/encode/csv/index.ts'),
  'hosepipe/delivery-stream': join(root, 'src/delivery-stream/index.ts'),
  'hosepipe/direct-put': join(root, 'src/sources/direct-put/index.ts'),
  'hosepipe/file': join(root, 'src/destinations/file/index.ts'),
  'hosepipe/http': join(root, 'src/destinations/http/index.ts'),
  'hosepipe/http-server': join(root, 'src/sources/http-server/index.ts'),
  'hosepipe/blueprints': join(root, 'src/transform/blueprints/index.ts'),
  'hosepipe/jq': join(root, 'src/transform/jq/index.ts'),
  'hosepipe/kafka': join(root, 'src/sources/kafka/index.ts'),
  'hosepipe/kinesis': join(root, 'src/sources/kinesis/index.ts'),
  'hosepipe/lambda': join(root, 'src/lambda/index.ts'),
  'hosepipe/memory': join(root, 'src/destinations/memory/index.ts'),
  'hosepipe/opensearch': join(root, 'src/destinations/opensearch/index.ts'),
  'hosepipe/parquet': join(root, 'src/encode/parquet/index.ts'),
  'hosepipe/redshift': join(root, 'src/destinations/redshift/index.ts'),
  'hosepipe/splunk': join(root, 'src/destinations/splunk/index.ts'),
  'hosepipe/s3': join(root, 'src/destinations/s3/index.ts'),
}
const typeTests = join(root, 'test/support/public-types.ts')
const blocks = codeBlocks()
const blockPath = ({ page, line }: CodeBlock): string => join(root, `${page.replace(/\W/g, '-')}-${line}.ts`)

/** What the shorter examples of the pages speak of without having made it. */
const surroundings = `
import type { Readable } from 'node:stream'
import type { Destination, Firehose } from 'hosepipe'
declare global {
  const events: Readable
  const hose: Firehose
  const url: string
  const cert: string
  const key: string
  const search: Destination
  const lake: Destination
  const enrich: (event: unknown) => object
  const queue: AsyncIterable<{ texts: string[]; nextOffset: number }>
}
`

const program = compile()
const checker = program.getTypeChecker()

t.test('the types say what users rely on', async (t) => {
  t.same(problems(typeTests), [])
  t.ok(program.getSourceFile(typeTests)?.text.includes('@ts-expect-error'), 'and refuse what they must not take')
})

t.test('every public name, and every member of it, has a comment', async (t) => {
  for (const [path, file] of Object.entries(entries)) {
    const exported = exportsOf(file)
    t.ok(exported.length > 2, `${path} exports something`)
    t.same(exported.flatMap(undocumented), [], path)
  }
})

t.test('every option says what is taken when it is not given', async (t) => {
  const missing = Object.values(entries).flatMap((file) =>
    exportsOf(file)
      .filter((symbol) => symbol.name.endsWith('Options'))
      .flatMap((symbol) => optionsOf(symbol))
      .filter(({ optional, comment }) => optional && !/default|see `|empty:/i.test(comment))
      .map(({ name }) => name),
  )
  t.same([...new Set(missing)], [])
})

t.test('the examples of all pages compile', async (t) => {
  t.ok(new Set(blocks.map(({ page }) => page)).size > 8, 'there are examples')
  for (const block of blocks) t.same(problems(blockPath(block)), [], `${block.page}, line ${block.line}`)
})

t.test('the examples of pages that are complete run as they stand', async (t) => {
  const log = t.capture(console, 'log')
  const complete = blocks.filter(({ runs }) => runs)
  const columns = complete.filter(({ code }) => code.includes('hosepipe/parquet'))
  // Some say themselves what has to come out.
  const own = complete.filter(({ code }) => code.includes('node:assert'))
  const texts = complete.filter((block) => !columns.includes(block) && !own.includes(block))
  t.equal(texts.length, 2)
  t.equal(columns.length, 1)
  t.ok(own.length > 0)
  const before = process.cwd()
  t.teardown(() => process.chdir(before))
  async function run({ code, page, line }: CodeBlock): Promise<string> {
    const level = 'info'
    const events = [{ customer: 'a', level }, { customer: '../b', level }, { customer: 'a', level: 'debug' }, {}]
    const input = `${events.map((event) => JSON.stringify(event)).join('\n')}\nnot JSON\n`
    const dir = t.testdir({ 'events.ndjson': input, 'example.mjs': toModule(code) })
    process.chdir(dir)
    await import(`${pathToFileURL(join(dir, 'example.mjs'))}?${page}:${line}`)
    return dir
  }

  for (const block of texts) {
    const { line } = block
    const dir = await run(block)
    const delivered = ['{"customer":"../b","level":"info"}', '{"customer":"a","level":"info"}']
    t.same(readAll(join(dir, 'lake')).sort(), delivered, `line ${line}`)
    t.same(readdirSync(join(dir, 'lake')).sort(), ['customer=..%2Fb', 'customer=a'], 'a folder for each key')
    const failed = readAll(join(dir, 'failed')).map((text): unknown => JSON.parse(text))
    t.match(failed, [{ rawData: String }, { rawData: String }], 'what has no key and what is not JSON is backed up')
  }
  const [stats] = log().flatMap(({ args }) => args)
  t.match(stats, { in: 5, delivered: 2, dropped: 1, backedUp: 2, pending: 0 }, 'the first says how the records ended')
  for (const block of own) await t.resolves(run(block), `${block.page}, line ${block.line}`)
  for (const block of columns) {
    const dir = await run(block)
    const duck = await Duck.open(dir)
    const { rows } = await duck.read(filesBelow(join(dir, 'columns')).map((path) => readFileSync(path)))
    duck.close()
    t.strictSame(rows, [
      { customer: 'a', level: 'info' },
      { customer: '../b', level: 'info' },
      { customer: 'a', level: 'debug' },
      { customer: null, level: null },
    ])
    t.match(filesBelow(join(dir, 'failed')), [/format-conversion-failed/])
  }
})

function compile(): ts.Program {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => readFileSync(path, 'utf8'))
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root)
  const virtual = new Map(blocks.map((block) => [blockPath(block), withImports(block.code)]))
  const globals = join(root, 'README-surroundings.d.ts')
  virtual.set(globals, surroundings)
  const own = { ...options, noUnusedLocals: false, noEmit: true }
  const host = ts.createCompilerHost(own)
  const { readFile, fileExists } = host
  host.readFile = (path) => virtual.get(resolve(path)) ?? readFile(path)
  host.fileExists = (path) => virtual.has(resolve(path)) || fileExists(path)
  host.getSourceFile = (path, target) => {
    const text = host.readFile(path)
    return text === undefined ? undefined : ts.createSourceFile(path, text, target, true)
  }
  host.resolveModuleNameLiterals = (literals, from, _redirected, given, source) =>
    literals.map((literal) => {
      const entry = entries[literal.text]
      if (entry !== undefined) {
        return {
          resolvedModule: { resolvedFileName: entry, extension: ts.Extension.Ts, isExternalLibraryImport: false },
        }
      }
      const mode = source && ts.getModeForUsageLocation(source, literal, given)
      return ts.resolveModuleName(literal.text, from, given, host, undefined, undefined, mode)
    })
  return ts.createProgram([...Object.values(entries), typeTests, ...virtual.keys()], own, host)
}

/** Adds the imports that the shorter examples leave out: every name of ours, and the usual ones of Node. */
function withImports(code: string): string {
  if (/^import /m.test(code)) return code
  const places: Readonly<Record<string, readonly string[]>> = {
    'node:fs': ['createReadStream'],
    'node:events': ['once'],
    'node:stream/promises': ['pipeline', 'finished'],
    'node:diagnostics_channel': ['subscribe'],
    'hosepipe/file': ['file'],
    'hosepipe/http': ['httpEndpoint', 'webhook'],
    'hosepipe/opensearch': ['openSearch'],
    'hosepipe/redshift': ['redshift', 'replayManifests'],
    'hosepipe/splunk': ['splunk'],
    'hosepipe/delivery-stream': ['deliveryStreamOptions', 'fromDeliveryStream'],
    'hosepipe/direct-put': ['directPut'],
    'hosepipe/http-server': ['firehoseReceiver', 'httpSource'],
    'hosepipe/lambda': ['defineTransform', 'eventSource', 'handler', 'lambda'],
    'hosepipe/memory': ['memory'],
    'hosepipe/s3': ['s3'],
    'hosepipe/parquet': ['parquet'],
    'hosepipe/csv': ['csv', 'csvRows', 'csvToJson'],
    'hosepipe/blueprints': ['accessLog', 'singleLine', 'syslog', 'vpcFlowLog', 'w3cLog'],
    'hosepipe/jq': ['jq', 'jqWeb'],
    'hosepipe/kafka': ['kafka'],
    'hosepipe/kinesis': ['dynamoDbLeases', 'fileCheckpoints', 'kinesis', 'memoryCheckpoints'],
    hosepipe: namesIn(join(root, 'src/index.ts')),
  }
  const words = new Set(code.replace(/'[^']*'/g, '').match(/[A-Za-z]\w*/g))
  const isUsed = (name: string): boolean => words.has(name) && !new RegExp(`const ${name}\\b`).test(code)
  const lines = Object.entries(places).flatMap(([from, names]) => {
    const used = names.filter((name) => isUsed(name.replace('type ', '')))
    return used.length === 0 ? [] : [`import { ${used.join(', ')} } from '${from}'`]
  })
  return `${lines.join('\n')}\nexport {}\n${code}`
}

/** What a file re-exports, as an import would name it: `split`, `type Splitter`. */
function namesIn(path: string): string[] {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ESNext)
  return source.statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || !statement.exportClause) return []
    const { exportClause, isTypeOnly } = statement
    if (!ts.isNamedExports(exportClause)) return []
    return exportClause.elements.map(
      ({ name, isTypeOnly: isType }) => `${isTypeOnly || isType ? 'type ' : ''}${name.text}`,
    )
  })
}

function problems(path: string): string[] {
  const source = program.getSourceFile(path)
  if (source === undefined) return [`${path} is not there`]
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
    ({ messageText, start = 0 }) => {
      const { line } = source.getLineAndCharacterOfPosition(start)
      return `${source.text.split('\n')[line]?.trim()}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    },
  )
}

function exportsOf(file: string): ts.Symbol[] {
  const source = program.getSourceFile(file)
  const module = source && checker.getSymbolAtLocation(source)
  if (module === undefined) return []
  return checker
    .getExportsOfModule(module)
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
}

const commentOf = (symbol: ts.Symbol): string => ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim()

/** The names below a public one, itself among them, that have no comment. */
function undocumented(symbol: ts.Symbol): string[] {
  const own = commentOf(symbol) === '' ? [symbol.name] : []
  const members = [...(symbol.members?.values() ?? []), ...(symbol.exports?.values() ?? [])]
  return [
    ...own,
    ...members
      .filter(isPublic)
      .filter((member) => commentOf(member) === '')
      .map((member) => `${symbol.name}.${member.name}`),
  ]
}

/** Members that a user sees and that do not speak for themselves: not private, not inherited from Node, not a constructor. */
function isPublic(member: ts.Symbol): boolean {
  const [declaration] = member.declarations ?? []
  if (declaration === undefined || (!ts.isClassElement(declaration) && !ts.isTypeElement(declaration))) return false
  if (ts.isConstructorDeclaration(declaration) || declaration.name === undefined) return false
  if (ts.isPrivateIdentifier(declaration.name) || ts.isComputedPropertyName(declaration.name)) return false
  const modifiers = ts.canHaveModifiers(declaration) ? (ts.getModifiers(declaration) ?? []) : []
  const hidden = [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword, ts.SyntaxKind.OverrideKeyword]
  if (modifiers.some(({ kind }) => hidden.includes(kind))) return false
  return !member.getJsDocTags(checker).some(({ name }) => name === 'internal')
}

function optionsOf(symbol: ts.Symbol): { name: string; optional: boolean; comment: string }[] {
  const ours = (property: ts.Symbol): boolean => property.declarations?.some(isOurs) ?? false
  return checker
    .getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol))
    .filter(ours)
    .map((property) => ({
      name: `${symbol.name}.${property.name}`,
      optional: (property.flags & ts.SymbolFlags.Optional) !== 0,
      comment: commentOf(property),
    }))
}

const isOurs = (declaration: ts.Declaration): boolean =>
  declaration.getSourceFile().fileName.startsWith(join(root, 'src'))

/** The example as a module that finds hosepipe in the source. */
function toModule(code: string): string {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  })
  return outputText.replace(
    /from '(hosepipe[^']*)'/g,
    (_, name: string) => `from '${pathToFileURL(entries[name] ?? name)}'`,
  )
}

/** The lines of all files below a folder, unpacked where they are. */
function readAll(dir: string): string[] {
  return filesBelow(dir).flatMap((path) => {
    const bytes = readFileSync(path)
    return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().trimEnd().split('\n')
  })
}

function filesBelow(dir: string): string[] {
  if (!existsSync(dir)) return []
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return files.map(({ parentPath, name }) => join(parentPath, name))
}
