import { HosepipeError } from '../../errors.ts'
import { type RecordFunction, text } from '../view.ts'

const newline = 10
const carriageReturn = 13

/** Reads a line from its beginning to its end, field by field. What does not fit is told with its column. */
export class Line {
  readonly #name: string
  readonly #text: string
  #at = 0

  /** @param name - What the line should be, for errors. */
  constructor(name: string, text: string) {
    this.#name = name
    // A line of a file from Windows, and a record that has kept its newline.
    const last = text.charCodeAt(text.length - 1)
    this.#text = last === newline || last === carriageReturn ? text.replace(/\r?\n?$/, '') : text
  }

  /** The column that is read next, from 1. */
  get column(): number {
    return this.#at + 1
  }

  /** Whether everything was read. */
  get isOver(): boolean {
    return this.#at >= this.#text.length
  }

  /** What was not read yet. */
  rest(): string {
    const rest = this.#text.slice(this.#at)
    this.#at = this.#text.length
    return rest
  }

  /** Whether some text stands next. */
  hasNext(text: string): boolean {
    return this.#text.startsWith(text, this.#at)
  }

  /** Reads some text that has to stand there. */
  expect(text: string, what = JSON.stringify(text)): void {
    if (!this.hasNext(text)) throw this.unfit(what)
    this.#at += text.length
  }

  /** Reads up to some text, which is read, too, or to the end. */
  until(text: string, what: string): string {
    const end = this.#text.indexOf(text, this.#at)
    const value = this.#text.slice(this.#at, end === -1 ? undefined : end)
    if (value === '') throw this.unfit(what)
    this.#at = end === -1 ? this.#text.length : end + text.length
    return value
  }

  /** Reads a field up to a blank, or to the end; the blank is left. */
  word(what: string): string {
    const end = this.#text.indexOf(' ', this.#at)
    const value = this.#text.slice(this.#at, end === -1 ? undefined : end)
    if (value === '') throw this.unfit(what)
    this.#at += value.length
    return value
  }

  /** Reads what stands between two signs, without them; inside, a backslash takes the meaning of the sign behind it. */
  enclosed(open: string, close: string, what: string): string {
    if (!this.hasNext(open)) throw this.unfit(what)
    let end = this.#text.indexOf(close, this.#at + 1)
    while (end !== -1 && isEscaped(this.#text, end)) end = this.#text.indexOf(close, end + 1)
    if (end === -1) throw this.unfit(`${what}, and ${close} at its end`)
    const value = this.#text.slice(this.#at + 1, end)
    this.#at = end + 1
    return value
  }

  /** Reads what a regular expression, which must be sticky, matches. */
  match(pattern: RegExp, what: string): RegExpExecArray {
    const found = this.tryMatch(pattern)
    if (found === null) throw this.unfit(what)
    return found
  }

  /** Whether what a regular expression, which must be sticky, matches stands next. */
  isNext(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at
    return pattern.test(this.#text)
  }

  /** Reads what a regular expression, which must be sticky, matches, if it stands next. */
  tryMatch(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found !== null) this.#at += found[0].length
    return found
  }

  /** Goes back to a column. */
  back(column: number): void {
    this.#at = column - 1
  }

  /** Nothing may stand behind what was read. */
  end(): void {
    if (!this.isOver) throw this.unfit('the end')
  }

  /** The error of a line that does not fit at the column that is read next. */
  unfit(what: string, column = this.column): HosepipeError {
    const words = `the line is no ${this.#name}: at column ${column} there should be ${what}`
    return new HosepipeError('Transform.Malformed', words)
  }
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0
  while (text.charAt(at - 1 - slashes) === '\\') slashes += 1
  return slashes % 2 === 1
}

/** A function of a record that reads lines. */
export function reading<Result>(name: string, read: (line: Line) => Result): RecordFunction {
  return text((record) => Object(read(new Line(name, record))))
}

/** A number that a log writes, or `null` where it writes a dash. */
export function numberOrNull(line: Line, value: string, what: string): number | null {
  if (value === '-') return null
  const number = Number(value)
  if (value.trim() !== '' && Number.isFinite(number)) return number
  throw line.unfit(what, line.column - value.length)
}

/** Text, or `null` where a log writes a dash. */
export function textOrNull(value: string): string | null {
  return value === '-' ? null : value
}
