/**
 * js-joda, which users install only for what the platform cannot do: the rarer letters of patterns, and times read by patterns. It is
 * required, and not imported, because destinations and encoders are made synchronously.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Locale } from '@js-joda/locale_en-us'
import { toError } from '../errors.ts'

/** The library itself. */
export type Joda = typeof import('@js-joda/core')

const packages = '@js-joda/core @js-joda/timezone @js-joda/locale_en-us'

/** Loads js-joda. @throws RangeError that says what to install */
export function loadJoda(): Joda {
  return required('@js-joda/core')
}

/** Makes the zones of the tz database known to js-joda. @throws RangeError that says what to install */
export function loadTimeZones(): void {
  required('@js-joda/timezone')
}

/** Makes text (month names, weeks) known to js-joda, and returns the locale that all keys are written in. @throws RangeError that says what to install */
export function loadLocale(): Locale {
  const { Locale }: typeof import('@js-joda/locale_en-us') = required('@js-joda/locale_en-us')
  return Locale.US
}

function required(name: string) {
  const here: unknown = import.meta.url
  // A bundle in CommonJS does not know where it is.
  const require = createRequire(typeof here === 'string' ? here : join(process.cwd(), 'index.js'))
  try {
    return require(name)
  } catch (error) {
    throw new RangeError(`it needs js-joda (npm install ${packages}): ${toError(error).message}`, { cause: error })
  }
}
