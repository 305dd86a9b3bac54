/** Options of COPY, as text: what Redshift knows is let through as it stands, and nothing else; what hosepipe says itself, or what would make a load that is none, is refused (reference of Redshift, "COPY parameter reference"). */
import { closest, distance } from 'fastest-levenshtein'
import { OptionError } from '../../errors.ts'

/** What follows the name of an option: nothing, a text in quotes, a number, a word of a list; with `?` it may be missing. */
type Argument = 'text' | 'text?' | 'number' | 'number?' | 'boolean?' | readonly string[]

const known: Readonly<Record<string, readonly Argument[]>> = {
  ACCEPTANYDATE: [],
  ACCEPTINVCHARS: ['text?'],
  BLANKSASNULL: [],
  BZIP2: [],
  COMPROWS: ['number'],
  COMPUPDATE: [['ON', 'OFF', 'TRUE', 'FALSE', 'PRESET', '']],
  CSV: [],
  DATEFORMAT: ['text'],
  DELIMITER: ['text'],
  EMPTYASNULL: [],
  ENCODING: [['UTF8', 'UTF16', 'UTF16LE', 'UTF16BE', 'ISO88591']],
  ESCAPE: [],
  EXPLICIT_IDS: [],
  FILLRECORD: [],
  FIXEDWIDTH: ['text'],
  FORMAT: [['JSON', 'CSV'], 'text?'],
  GZIP: [],
  IGNOREALLERRORS: [],
  IGNOREBLANKLINES: [],
  IGNOREHEADER: ['number'],
  JSON: ['text?'],
  MAXERROR: ['number'],
  NULL: ['text'],
  QUOTE: ['text'],
  REGION: ['text'],
  REMOVEQUOTES: [],
  ROUNDEC: [],
  STATUPDATE: [['ON', 'OFF', 'TRUE', 'FALSE', '']],
  TIMEFORMAT: ['text'],
  TRIMBLANKS: [],
  TRUNCATECOLUMNS: [],
}

/** Why an option that Redshift knows is refused. */
const refused: Readonly<Record<string, string>> = {
  ACCESS_KEY_ID: 'is said by credentials',
  AVRO: 'is a format that hosepipe does not write',
  CREDENTIALS: 'is said by iamRole or credentials',
  ENCRYPTED: 'needs a key that objects are not written with',
  IAM_ROLE: 'is said by iamRole',
  LZOP: 'is a compression that hosepipe does not write',
  MANIFEST: 'is said by hosepipe',
  MASTER_SYMMETRIC_KEY: 'needs a key that objects are not written with',
  NOLOAD: 'loads nothing, so that nothing would be delivered',
  ORC: 'is a format that hosepipe does not write',
  PARQUET: 'needs lengths in manifests, which are not written',
  READRATIO: 'is for DynamoDB',
  SECRET_ACCESS_KEY: 'is said by credentials',
  SESSION_TOKEN: 'is said by credentials',
  SHAPEFILE: 'is a format that hosepipe does not write',
  SSH: 'reads from somewhere else',
  ZSTD: 'is a compression that hosepipe does not write for COPY; give s3.compress: gzip()',
}

/** Between a name and what belongs to it Redshift takes this word. */
const filler = 'AS'

interface Token {
  readonly text: string
  readonly isQuoted: boolean
}

/** Options of COPY that were read: their text, and their names. */
export interface CopyOptions {
  readonly text: string
  readonly names: ReadonlySet<string>
}

/**
 * Reads options of COPY.
 *
 * @throws OptionError that names the first that cannot be taken.
 */
export function readCopyOptions(given: string): CopyOptions {
  const tokens = tokensOf(given)
  const names = new Set<string>()
  for (let at = 0; at < tokens.length; ) {
    const { text, isQuoted } = tokens[at] ?? { text: '', isQuoted: false }
    const name = text.toUpperCase()
    if (isQuoted) throw wrong(`the text ${text} belongs to no option`)
    const why = refused[name]
    if (why !== undefined) throw wrong(`${name} ${why}`)
    const takes = Object.hasOwn(known, name) ? known[name] : undefined
    if (takes === undefined) throw wrong(`there is no option ${text}${meant(name)}`)
    if (names.has(name)) throw wrong(`${name} stands there twice`)
    names.add(name)
    at += 1
    if (tokens[at]?.isQuoted === false && tokens[at]?.text.toUpperCase() === filler) at += 1
    for (const argument of takes) if (fits(name, argument, tokens[at])) at += 1
  }
  return { text: given.trim().replaceAll(/\s+(?=(?:[^']*'[^']*')*[^']*$)/g, ' '), names }
}

/** Whether the next token is an argument. @throws OptionError where there must be one and is none */
function fits(name: string, argument: Argument, token: Token | undefined): boolean {
  if (typeof argument !== 'string') {
    const isOne = token !== undefined && !token.isQuoted && argument.includes(token.text.toUpperCase())
    if (!isOne && !argument.includes('')) throw wrong(`${name} needs one of ${argument.join(', ')}`)
    return isOne
  }
  const isText = argument.startsWith('text')
  const isOne = token !== undefined && (isText ? token.isQuoted : !token.isQuoted && /^\d+$/.test(token.text))
  if (!isOne && !argument.endsWith('?')) throw wrong(`${name} needs ${isText ? "a text: 'x'" : 'a number'}`)
  return isOne
}

/** Words, numbers, and texts in quotes, in which a quote stands twice. */
function tokensOf(given: string): readonly Token[] {
  const tokens: Token[] = []
  const pattern = /\s+|'((?:[^']|'')*)'|([A-Za-z_]\w*|\d+)/y
  while (pattern.lastIndex < given.length) {
    const from = pattern.lastIndex
    const found = pattern.exec(given)
    if (found === null)
      throw wrong(`${JSON.stringify(given.slice(from, from + 20))} is neither an option nor a text in quotes`)
    const [whole, quoted, word] = found
    if (quoted !== undefined) tokens.push({ text: whole, isQuoted: true })
    else if (word !== undefined) tokens.push({ text: word, isQuoted: false })
  }
  return tokens
}

function meant(name: string): string {
  const near = closest(name, Object.keys(known))
  return distance(name, near) <= 3 ? `; did you mean ${near}?` : ''
}

function wrong(words: string): OptionError {
  return new OptionError('redshift.copyOptions', `redshift: copyOptions cannot be used: ${words}`)
}
