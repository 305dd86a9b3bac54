/**
 * The parts of js-joda that not everything needs: the zones take 200 ms to load, the English names 25 ms. They are required, and not
 * imported, because destinations and encoders are made synchronously.
 */
import { createRequire } from 'node:module'
import type { Locale } from '@js-joda/locale_en-us'

const require = createRequire(import.meta.url)

/** The library itself, for rooms that seldom need it. */
export type Joda = typeof import('@js-joda/core')

/** Loads js-joda. */
export function loadJoda(): Joda {
  return require('@js-joda/core')
}

/** Makes the zones of the tz database known to js-joda. */
export function loadTimeZones(): void {
  require('@js-joda/timezone')
}

/** Makes text (month names, weeks) known to js-joda, and returns the locale that all keys are written in. */
export function loadLocale(): Locale {
  const { Locale }: typeof import('@js-joda/locale_en-us') = require('@js-joda/locale_en-us')
  return Locale.US
}
