import { deepStrictEqual as deepEqual } from 'node:assert'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { searchableMemory, searchNewlines } from '../src/newline-search.ts'
import { runChild } from './support/child.ts'

const [newline, carriageReturn] = [10, 13]

/** What a look at each byte finds. */
function expected(chunk: Buffer, from: number, to: number) {
  const places = Array.from({ length: to - from }, (_, i) => from + i).filter((at) => chunk[at] === newline)
  const starts = [from, ...places.map((at) => at + 1)]
  return {
    places,
    hasReturns: places.some((at, i) => at > (starts[i] ?? 0) && chunk[at - 1] === carriageReturn),
    hasEmpty: places.some((at, i) => at === starts[i]),
  }
}

function memoryOf(size: number): Buffer {
  const memory = searchableMemory(size)
  if (memory === undefined) throw new Error('this machine has no memory that can be searched')
  return memory
}

function found(chunk: Buffer, from: number, to: number) {
  const newlines = searchNewlines(chunk, from, to)
  if (newlines === undefined) throw new Error('the chunk does not lie in memory that can be searched')
  return { ...newlines, places: [...newlines.places] }
}

t.test('finds what a look at each byte finds, wherever a chunk begins and ends', async (t) => {
  const memory = memoryOf(1_000)
  const byte = fc.oneof(
    { weight: 8, arbitrary: fc.constant(97) },
    { weight: 1, arbitrary: fc.constantFrom(newline, carriageReturn) },
    { weight: 1, arbitrary: fc.nat(255) },
  )
  const property = fc.property(
    fc.array(byte, { maxLength: 700 }),
    fc.nat(300),
    fc.nat(700),
    fc.nat(700),
    (bytes, offset, one, other) => {
      // What lies around is somebody else's, and has newlines, too.
      memory.fill('\r\n')
      const chunk = memory.subarray(offset, offset + bytes.length)
      chunk.set(bytes)
      const [from = 0, to = 0] = [one, other].map((at) => Math.min(at, bytes.length)).sort((a, b) => a - b)
      // A search begins where a chunk does, or behind a newline.
      if (from > 0) chunk[from - 1] = newline
      deepEqual(found(chunk, from, to), expected(chunk, from, to))
    },
  )
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500 }))
})

t.test('every place of a newline near the border of a block', async (t) => {
  const memory = memoryOf(256)
  for (let at = 0; at < 256; at += 1) {
    memory.fill(97)
    memory[at] = newline
    deepEqual(found(memory, 0, 256).places, [at])
    deepEqual(found(memory, 0, at), { places: [], hasReturns: false, hasEmpty: false })
  }
  t.pass('256 places')
})

t.test('lines so short that their places have no room at once', async (t) => {
  const size = 300_000
  const memory = memoryOf(size)
  memory.fill('\n')
  t.equal(found(memory, 0, size).places.length, size)
  memory.fill('a\n')
  t.same(found(memory, 0, size), expected(memory, 0, size))
  // Behind the first ten thousand, all that was said of those before holds still.
  memory.set(Buffer.from('\r\n'), 2)
  t.match(found(memory, 0, size), { hasReturns: true, hasEmpty: false })
  memory.set(Buffer.from('\n\n'), 4)
  t.match(found(memory, 0, size), { hasReturns: true, hasEmpty: true })
})

t.test('other memory is not searched', async (t) => {
  t.equal(searchNewlines(Buffer.from('a\nb\n'), 0, 4), undefined)
})

t.test('the program is the compiled source', async (t) => {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const compiled = execFileSync(process.execPath, ['scripts/wasm.js', '--print'], { cwd: root, encoding: 'utf8' })
  t.equal(compiled, readFileSync(join(root, 'src/newline-search-wasm.ts'), 'utf8'))
})

t.test('without WebAssembly, files are read into ordinary memory', async (t) => {
  const path = join(t.testdir(), 'lines')
  const lines = Array.from({ length: 60_000 }, (_, i) => `{"line":${i},"text":"${'x'.repeat(i % 100)}"}`)
  writeFileSync(path, `${lines.join('\n')}\n`)
  const ended = [
    await runChild('lines-of-file.ts', [], [path]),
    await runChild('lines-of-file.ts', ['--jitless'], [path]),
  ]
  t.same(
    ended.map(({ code, lines }) => ({ code, said: JSON.parse(lines[0] ?? 'null') })),
    [true, false].map((isSearchable) => ({
      code: 0,
      said: { isSearchable, pending: 0, delivered: lines.length, same: true },
    })),
  )
})
