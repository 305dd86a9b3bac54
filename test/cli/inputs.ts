/** What may stand on the command line and in a config: functions, folders, patterns, variables of the environment. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { program, start } from '../support/program.ts'

const { folder, hosepipe, main } = program(t.testdir())

t.test('functions stand on the command line, or in a config', async (t) => {
  const dir = folder(t, {
    'inline.json': JSON.stringify({ transform: [{ map: '({ n }) => n * 2' }], to: '-' }),
  })
  const input = '{"n":1}\n{"n":2}\n{"n":3}\n'
  const flags = [
    '--filter',
    'r => r.n !== 2',
    '--transform',
    'async function (r) { return r.n > 2 ? drop : several([r, r]) }',
  ]
  const first = await hosepipe(dir, input, '--to=-', ...flags, '--report=none')
  t.match(first, { code: 0, stdout: '{"n":1}\n{"n":1}\n' })
  t.match(await hosepipe(dir, input, '--config', 'inline.json', '--report=none'), { code: 0, stdout: '2\n4\n6\n' })
  const odd = await hosepipe(dir, input, '--to=-', '--map', '(r) => r.x.y', '--backup', 'discard')
  t.match(odd, { code: 1, stderr: /Code\.Mistake|a mistake in code/ }, 'with the place of the mistake')
})

t.test('folders and patterns are inputs', async (t) => {
  const dir = folder(t)
  mkdirSync(join(dir, 'logs/deep'), { recursive: true })
  writeFileSync(join(dir, 'logs/b.ndjson'), '2\n')
  writeFileSync(join(dir, 'logs/a.gz'), gzipSync('1\n'))
  writeFileSync(join(dir, 'logs/deep/c.ndjson'), '3\n')
  writeFileSync(join(dir, 'logs/.hidden'), '4\n')
  writeFileSync(join(dir, 'logs/[x].ndjson'), '5\n')
  const of = async (...args: readonly string[]) => (await hosepipe(dir, '', ...args, '--to=-', '--report=none')).stdout
  t.equal(await of('logs'), '5\n1\n2\n3\n')
  t.equal(await of('logs/*.ndjson'), '5\n2\n')
  t.equal(await of('logs/**/c*', 'logs/*.gz'), '3\n1\n')
  t.equal(await of('logs/[x].ndjson'), '5\n', 'a file that is called so')
})

t.test('a config takes variables of the environment', async (t) => {
  const dir = folder(t, {
    'env.json': JSON.stringify({
      to: `./\${WHERE}`,
      backup: `\${NOWHERE:-./failed}`,
      name: `$\${WHERE}`,
      batch: { key: ['{a}'] },
    }),
  })
  const running = start(process.execPath, [main, 'check', 'env.json'], dir, { WHERE: 'lake' })
  running.process.stdin?.end()
  const { stdout } = await running.ended
  t.match(stdout, /lake/)
  t.match(stdout, /failed/)
  t.match(stdout, /\$\{WHERE\}/)
})
