import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** The folder of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Whether a file of `src` is a module, and not only types of somebody else's. */
export function isModule(file: string): boolean {
  return file.endsWith('.ts') && !file.endsWith('.d.ts')
}

/** One import of a module, as it stands there. */
export interface Import {
  /** What stands in quotes. */
  readonly specifier: string
  /** The imported file of ours, from `src` on; `undefined` for packages and parts of Node. */
  readonly file: string | undefined
  /** The package's name; `undefined` for files of ours. */
  readonly package: string | undefined
  /** Whether nothing of it is left when the code runs. */
  readonly isTypeOnly: boolean
  /** Whether it loads nothing until it is called: an `import(…)`, a `require(…)`, the file of a thread. */
  readonly isLater: boolean
}

/** The imports of every file in `src`, by its path from there, with slashes: `batch/batcher.ts`. */
export function modules(): ReadonlyMap<string, readonly Import[]> {
  const src = join(root, 'src')
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(isModule)
  return new Map(files.map((file) => [file.split(sep).join('/'), importsOf(src, join(src, file))]))
}

function importsOf(src: string, path: string): Import[] {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ESNext, true)
  const found: Import[] = []
  visit(source)
  return found

  function visit(node: ts.Node): void {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypes(node.importClause))
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier) add(node.moduleSpecifier, isTypeExport(node))
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true)
    else if (ts.isCallExpression(node) && loads(node.expression)) add(node.arguments[0], false, true)
    else if (ts.isNewExpression(node)) addWorker(node)
    ts.forEachChild(node, visit)
  }

  function add(literal: ts.Node | undefined, isTypeOnly: boolean, isLater = false): void {
    if (literal !== undefined && ts.isStringLiteralLike(literal)) addText(literal.text, isTypeOnly, isLater)
  }

  /** A file that a thread is made of: `new URL('./worker.js', import.meta.url)`, also where the extension is made when it runs. */
  function addWorker({ expression, arguments: [name, base] = ts.factory.createNodeArray() }: ts.NewExpression): void {
    if (name === undefined || expression.getText() !== 'URL' || base?.getText() !== 'import.meta.url') return
    if (ts.isStringLiteralLike(name)) addText(name.text.replace(/\.js$/, '.ts'), false, true)
    else if (ts.isTemplateExpression(name)) addText(`${name.head.text}.ts`, false, true)
  }

  function addText(specifier: string, isTypeOnly: boolean, isLater: boolean): void {
    const isOurs = specifier.startsWith('.')
    found.push({
      specifier,
      file: isOurs
        ? relative(src, resolve(dirname(path), specifier))
            .split(sep)
            .join('/')
        : undefined,
      package: isOurs || specifier.startsWith('node:') ? undefined : packageOf(specifier),
      isTypeOnly,
      isLater,
    })
  }
}

/** `@scope/name` of `@scope/name/part`, and `name` of `name/part`. */
export function packageOf(specifier: string): string {
  const parts = specifier.split('/')
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}

function isTypes(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const { name, namedBindings } = clause
  if (name !== undefined || namedBindings === undefined || !ts.isNamedImports(namedBindings)) return false
  return namedBindings.elements.length > 0 && namedBindings.elements.every((element) => element.isTypeOnly)
}

function isTypeExport({ isTypeOnly, exportClause }: ts.ExportDeclaration): boolean {
  if (isTypeOnly) return true
  if (exportClause === undefined || !ts.isNamedExports(exportClause)) return false
  return exportClause.elements.length > 0 && exportClause.elements.every((element) => element.isTypeOnly)
}

function loads(callee: ts.Expression): boolean {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require')
}
