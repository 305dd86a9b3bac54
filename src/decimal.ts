/** A number in decimal digits: `0.digits × 10^point`. */
export interface DecimalText {
  readonly negative: boolean
  /** Without zeros in front; empty for zero. */
  readonly digits: string
  /** How many of the digits stand before the point; may be negative, or more than there are digits. */
  readonly point: number
}

const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/

/** Reads a number in JSON's form, or with a sign, or with no digit on one side of the point; `undefined` for what is none. */
export function readDecimal(text: string): DecimalText | undefined {
  const found = pattern.exec(text)
  if (found === null) return undefined
  const [, sign, whole = '', fraction = '', exponent = '0'] = found
  const all = whole + fraction
  if (all === '') return undefined
  const digits = all.replace(/^0+/, '')
  if (digits === '') return { negative: sign === '-', digits, point: 0 }
  return { negative: sign === '-', digits, point: whole.length - (all.length - digits.length) + Number(exponent) }
}

/**
 * The number times `10^scale` as a whole number, rounded half away from zero as Hive does, or cut.
 *
 * @param maxDigits - How many digits the result may have.
 * @returns `undefined` where it has more.
 */
export function toUnscaled(
  { negative, digits, point }: DecimalText,
  scale: number,
  maxDigits: number,
  how: 'round' | 'cut' = 'round',
): bigint | undefined {
  if (digits === '') return 0n
  const length = point + scale
  if (length > maxDigits) return undefined
  if (length < 0) return 0n
  const kept = BigInt(digits.slice(0, length).padEnd(length, '0') || '0')
  const unscaled = how === 'round' && digits.charAt(length) >= '5' ? kept + 1n : kept
  if (unscaled >= 10n ** BigInt(maxDigits)) return undefined
  return negative ? -unscaled : unscaled
}

/** Whether the number has nothing behind the point. */
export function isWhole({ digits, point }: DecimalText): boolean {
  return /^0*$/.test(digits.slice(Math.max(0, point)))
}
