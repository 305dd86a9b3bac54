import { execFileSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './modules.ts'

/**
 * Builds the package as it is published, without declarations, into a folder below the repository, where its dependencies are found: for
 * tests that run it in processes of its own, which start several times as fast as from a file for each of the source.
 *
 * @returns The path of the built program.
 */
export function transpile(folder: string): string {
  const dist = join(folder, 'dist')
  execFileSync(process.execPath, ['scripts/build.js', '--only-code', '--to', dist], { cwd: root, stdio: 'inherit' })
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'))
  return join(dist, 'cli/main.js')
}
