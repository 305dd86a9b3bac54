/** A table says an option once: what is given is checked against it, read as numbers, and filled up with its defaults. */
import { expectTypeOf } from 'expect-type'
import t from 'tap'
import { OptionError } from '../src/errors.ts'
import {
  checkOptions,
  duration,
  type Fields,
  flag,
  type InForce,
  mistakesIn,
  oneOf,
  option,
  readOptions,
  required,
  size,
  text,
  whole,
} from '../src/options.ts'
import type { Duration, Size } from '../src/units.ts'

interface PumpOptions {
  readonly name: string
  readonly maxBytes?: Size | undefined
  readonly maxAge?: Duration | undefined
  readonly retryFor?: Duration | undefined
  readonly turns?: number | undefined
  readonly mode?: 'slow' | 'fast' | undefined
  readonly isLoud?: boolean | undefined
}

const fields = {
  name: required(text),
  maxBytes: option(size(1024, 1024 ** 3), { default: 5 * 1024 ** 2 }),
  maxAge: option(duration(), { default: 300_000 }),
  retryFor: duration(0, true),
  turns: whole('turns'),
  mode: oneOf('slow', 'fast'),
  isLoud: option(flag, { default: false }),
} satisfies Fields<PumpOptions>

const messages = (given: unknown): readonly string[] =>
  mistakesIn<PumpOptions>('pump', given, fields).map(({ message }) => message)

t.test('options in force: numbers for sizes and durations, defaults for what is not given', async (t) => {
  const given: PumpOptions = { name: 'a', maxBytes: '64KiB', retryFor: '1.5m', isLoud: undefined }
  const inForce = readOptions('pump', given, fields)
  t.strictSame(inForce, { name: 'a', maxBytes: 65_536, maxAge: 300_000, retryFor: 90_000, isLoud: false })
  t.strictSame(given, { name: 'a', maxBytes: '64KiB', retryFor: '1.5m', isLoud: undefined }, 'what was given stays')
  t.equal(readOptions('pump', { name: 'a', maxAge: 60 }, fields).maxAge, 60, 'a number is milliseconds')
  t.equal(readOptions('pump', { name: 'a', maxAge: '0' }, fields).maxAge, 0, 'nothing has no unit')
  t.equal(readOptions('pump', { name: 'a', retryFor: Number.POSITIVE_INFINITY }, fields).retryFor, Infinity)
  expectTypeOf<InForce<PumpOptions, typeof fields>>().toEqualTypeOf<{
    readonly name: string
    readonly maxBytes: number
    readonly maxAge: number
    readonly retryFor: number | undefined
    readonly turns: number | undefined
    readonly mode: 'slow' | 'fast' | undefined
    readonly isLoud: boolean
  }>()
})

t.test('the range holds for text with a unit as for numbers', async (t) => {
  const expected = "pump: maxBytes must be a whole number of bytes, or a size such as '5MiB', from 1024 to 1073741824"
  for (const maxBytes of [1023, '1023', 1024 ** 3 + 1, '2GiB', '5 parsecs', '', 1024.5, Number.NaN, null]) {
    const [message = '', ...others] = messages({ name: 'a', maxBytes })
    t.ok(message.startsWith(`${expected}, but came as `), `${maxBytes}: ${message}`)
    t.same(others, [])
  }
  for (const maxBytes of [1024, '1KiB', '1kb', '1GiB']) t.same(messages({ name: 'a', maxBytes }), [], `${maxBytes}`)
  for (const maxAge of ['60', '-1s', '1 parsec', -1, Number.POSITIVE_INFINITY, Number.NaN]) {
    t.match(messages({ name: 'a', maxAge }), [/^pump: maxAge must be a number of milliseconds/], `${maxAge}`)
  }
})

t.test('every mistake is told, each with the name of its option', async (t) => {
  const wrong = { maxByte: 1, turns: 0, mode: 'medium', isLoud: 1 }
  t.same(messages(wrong), [
    'pump: there is no option "maxByte"; did you mean maxBytes?',
    'pump: turns must be a whole number of turns, at least 1, but came as 0',
    `pump: mode must be 'slow' or 'fast', but came as "medium"`,
    'pump: isLoud must be true or false, but came as 1',
    'pump: name must be a string, but is missing',
  ])
  t.throws(() => checkOptions<PumpOptions>('pump', wrong, fields), new Error(messages(wrong)[0]), 'the first is thrown')
  t.throws(() => checkOptions<PumpOptions>('pump', { name: 'a', turns: 0 }, fields), OptionError)
  t.match(messages([]), [/^pump: the options must be an object, but came as /])
  t.match(messages(null), [/^pump: the options must be an object, but came as /])
  t.match(messages({ name: 'a', toString: 1 }), [/^pump: there is no option "toString"/], 'no name is inherited')
})
