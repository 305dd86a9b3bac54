/**
 * Makes values of records fit for keys, so that none leaves its partition and each can be read back as what it was:
 *
 *     a/b → a%2Fb     .. → .%2E     50% → 50%25     x=y → x%3Dy     CON → %43ON     (nothing) → __HIVE_DEFAULT_PARTITION__
 *
 * Hive, Spark, Trino, Athena and DuckDB decode such values.
 */

/** How values of partition keys stand in object keys. */
export type Escape = 'hive' | 'none'

/** What stands for a partition without a value: Hive, `hive.exec.default.partition.name`. */
const nothing = '__HIVE_DEFAULT_PARTITION__'

/**
 * What Hive escapes (`FileUtils.escapePathName`), on Windows or not, since keys should not depend on the machine: control characters
 * and `" # % ' * / : < = > ? \ { [ ] ^ |`. Halves of characters, too, which have no UTF-8.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what cannot stand in a name
const unfit = /[\x00-\x1f"#%'*/:<=>?\\{[\]^|\x7f]|\p{Cs}/gu

/** Names of devices in Windows, with or without an ending: there no file can be called so. */
const device = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i

const escapes: Readonly<Record<Escape, (value: string) => string>> = { hive: hiveValue, none: wellFormed }

/** Makes the function that writes values as they are to stand in keys. */
export function escapeBy(rules: Escape): (value: string) => string {
  return escapes[rules]
}

function hiveValue(value: string): string {
  if (value === '') return nothing
  const escaped = value.replace(unfit, escapeCharacter)
  // Windows takes dots and spaces away from the end of a name; `.` and `..` lead elsewhere.
  const ended = escaped.replace(/[. ]$/, escapeCharacter)
  return ended === nothing || device.test(ended) ? escapeCharacter(ended.slice(0, 1)) + ended.slice(1) : ended
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0)
  return `%${code < 0x80 ? '' : 'u'}${code.toString(16).toUpperCase().padStart(2, '0')}`
}

/** A half of a character has no UTF-8, and would make a key that cannot be sent. */
function wellFormed(value: string): string {
  return Buffer.from(value).toString()
}
