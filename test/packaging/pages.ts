/** The pages that users read: their links lead somewhere, the first one stays short, and they are in the package. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'
import { root } from '../support/modules.ts'
import { pages, textOf } from '../support/readme.ts'

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  const text = textOf(page).replace(/^```.*?^```$/gms, '')
  return Array.from(text.matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  )
}

t.test('every link to a file of ours leads to it, and to a heading that it has', async (t) => {
  let links = 0
  for (const page of pages()) {
    for (const [, target = ''] of textOf(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^\w+:/.test(target)) continue
      links += 1
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : normalize(join(dirname(page), path))
      if (!existsSync(join(root, file))) t.fail(`${page}: ${target}`)
      else if (anchor !== undefined && !anchorsOf(file).includes(anchor)) t.fail(`${page}: ${target}`)
    }
  }
  t.ok(links > 50, 'there are links')
})

t.test('the first page is read in five minutes', async (t) => {
  const text = textOf('README.md')
  t.ok(text.split('\n').length <= 200)
  t.ok(text.split(/\s+/).length < 1800)
})

t.test('each folder that users meet by name has a page, and llms.txt knows it', async (t) => {
  const manifest: {
    readonly exports: Readonly<Record<string, string | { readonly default: string }>>
    files: string[]
  } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const folders = Object.values(manifest.exports).flatMap((target) => {
    const folder = typeof target === 'string' ? '.' : dirname(target.default).replace(/^\.?\/?dist/, 'src')
    return folder === 'src' || folder === '.' ? [] : folder
  })
  t.ok(folders.length > 3)
  for (const folder of [...folders, 'src/cli']) {
    t.ok(pages().includes(join(folder, 'README.md')), folder)
    t.ok(textOf('llms.txt').includes(`(${folder}/README.md)`), `${folder} in llms.txt`)
  }
  for (const path of ['src/**/README.md', 'ARCHITECTURE.md', 'llms.txt']) t.ok(manifest.files.includes(path), path)
})
