import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'
import { isModule, root } from '../modules.ts'

const compilerOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
}

/**
 * Builds what runs in threads, into a folder: a loader of TypeScript would take seconds in each thread.
 *
 * @returns The URL of a file in the folder, by its path without the ending: `test/support/threads/answers`.
 */
export function compiled(dir: string): (name: string) => URL {
  for (const folder of ['src', 'test/support/threads']) {
    for (const file of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      // The threads need neither; both are large.
      if (!isModule(file) || /^(?:cli|destinations)\b/.test(file)) continue
      const path = join(dir, folder, file.replace(/ts$/, 'js'))
      mkdirSync(dirname(path), { recursive: true })
      const source = readFileSync(join(root, folder, file), 'utf8')
      writeFileSync(path, ts.transpileModule(source, { compilerOptions }).outputText)
    }
  }
  // As the build does it.
  const start = "exports.run = import('./worker.js').then(({ run }) => run)\n"
  writeFileSync(join(dir, 'src/transform/threads/worker.cjs'), start)
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
  return (name) => pathToFileURL(join(dir, `${name}.js`))
}
