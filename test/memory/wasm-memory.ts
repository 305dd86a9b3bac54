import { deepStrictEqual as deepEqual } from 'node:assert'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { LocalGathering } from '../../src/batch/keys/local-gathering.ts'
import { WasmMemory } from '../../src/memory/wasm-memory.ts'
import { runChild } from '../support/child.ts'

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
  const memory = WasmMemory.make(size)
  if (memory === undefined) throw new Error('this machine has no memory for WebAssembly')
  return memory.chunk
}

function wasmOf(chunk: Buffer): WasmMemory {
  const memory = WasmMemory.of(chunk)
  if (memory === undefined) throw new Error('the chunk does not stand in memory for WebAssembly')
  return memory
}

function found(chunk: Buffer, from: number, to: number) {
  const newlines = wasmOf(chunk).newlines(chunk, from, to)
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

t.test('pieces of any length are gathered, as many as there is room for', async (t) => {
  const piece = fc.record({
    gap: fc.nat(5),
    size: fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 1, max: 70 }) },
      { weight: 2, arbitrary: fc.integer({ min: 400, max: 900 }) },
      { weight: 1, arbitrary: fc.integer({ min: 200_000, max: 270_000 }) },
    ),
  })
  const size = 1_000_000
  const memory = memoryOf(size)
  for (let i = 0; i < memory.length; i += 1) memory[i] = i * 7 + (i >> 8)
  const local = LocalGathering.shared()
  local.makeRoom(100)
  const property = fc.property(fc.array(piece, { maxLength: 60 }), fc.nat(7), (pieces, offset) => {
    const chunk = memory.subarray(offset)
    let at = 0
    const used = pieces.flatMap(({ gap, size: bytes }) => {
      const start = at + gap
      at = start + bytes
      return at > chunk.length ? [] : [{ start, bytes }]
    })
    // In another order than they stand in.
    used.sort((a, b) => (a.start % 7) - (b.start % 7))
    for (const gathering of [wasmOf(chunk), local]) {
      gathering.starts.set(used.map(({ start }) => start))
      gathering.sizes.set(used.map(({ bytes }) => bytes))
      for (let from = 0; from < used.length; ) {
        // What lies behind must stay as it is.
        gathering.gathered.fill(0)
        const to = gathering.gather(chunk, from, used.length)
        const taken = Buffer.concat(
          used.slice(from, to).map(({ start, bytes }) => chunk.subarray(start, start + bytes)),
        )
        deepEqual(gathering.byteLength, taken.length)
        deepEqual(gathering.gathered.subarray(0, taken.length).compare(taken), 0)
        deepEqual(
          gathering.gathered.subarray(taken.length).find((byte) => byte !== 0),
          undefined,
        )
        const next = used[to]?.bytes ?? Number.POSITIVE_INFINITY
        if (next <= gathering.gathered.length - taken.length) throw new Error('there was room for more')
        from = Math.max(to, from + 1)
      }
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 100 }))
})

t.test('whatever the size, all of it can be searched up to its end', async (t) => {
  // The memory ends with a page: one of these sizes leaves nothing behind what is gathered but what is kept free there.
  for (let size = 1; size < 130_000; size += 977) {
    const memory = memoryOf(size).fill(97)
    const { gathered } = wasmOf(memory)
    for (const chunk of [memory, gathered.fill(97)]) {
      chunk[chunk.length - 1] = newline
      deepEqual(found(chunk, 0, chunk.length).places, [chunk.length - 1])
    }
  }
  const [header, slack, page] = [64, 64, 65_536]
  // 11 bytes for each 8 of the chunk, and 192 numbers more.
  const exact = Array.from({ length: 16_384 }, (_, i) => 32 * i).find((size) => {
    return (header + size + slack + 12 * (size / 32 + 64) + 256 * 1024) % page === 0
  })
  const { gathered } = wasmOf(memoryOf(exact ?? 0))
  t.not(exact, undefined)
  t.equal(found(gathered.fill('\n'), 1, gathered.length).places.length, 256 * 1024 - 1)
})

t.test('a search does not touch what is to be gathered', async (t) => {
  const memory = memoryOf(1_000)
  const wasm = wasmOf(memory)
  memory.fill('ab\n')
  wasm.starts.set([3, 9])
  wasm.sizes.set([3, 3])
  found(memory, 0, 1_000)
  t.equal(wasm.gather(memory, 0, 2), 2)
  t.equal(wasm.gathered.toString('utf8', 0, wasm.byteLength), 'ab\nab\n')
  t.same(found(wasm.gathered, 0, wasm.byteLength).places, [2, 5])
})

t.test('other memory is not the program’s, and too much is not made', async (t) => {
  t.equal(WasmMemory.of(Buffer.from('a\nb\n')), undefined)
  t.equal(WasmMemory.make(2 ** 31), undefined)
})

t.test('the program is the compiled source', async (t) => {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const compiled = execFileSync(process.execPath, ['scripts/wasm.js', '--print'], { cwd: root, encoding: 'utf8' })
  t.equal(compiled, readFileSync(join(root, 'src/memory/wasm-program.ts'), 'utf8'))
})

t.test('where WebAssembly is not to be had, files are read into ordinary memory', async (t) => {
  const path = join(t.testdir(), 'lines')
  const lines = Array.from({ length: 60_000 }, (_, i) => `{"line":${i},"text":"${'x'.repeat(i % 100)}"}`)
  writeFileSync(path, `${lines.join('\n')}\n`)
  const refusals = {
    'a processor without the instructions': 'WebAssembly.validate = () => false',
    'no programs are allowed': 'WebAssembly.Module = class { constructor() { throw new EvalError() } }',
    'no address space is left': 'WebAssembly.Memory = class { constructor() { throw new RangeError() } }',
  }
  const runs = Object.entries({ 'it is there': '', ...refusals }).map(async ([name, script]) => {
    const before = script === '' ? [] : [`--import=data:text/javascript,${encodeURIComponent(script)}`]
    const { code, lines: said, err } = await runChild('lines-of-file.ts', before, [path])
    const expected = { hasWasm: script === '', pending: 0, delivered: lines.length, same: true }
    t.same(code === 0 ? JSON.parse(said[0] ?? 'null') : err, expected, name)
  })
  await Promise.all(runs)
})
