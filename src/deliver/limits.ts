import { type Fields, type InForce, size, whole } from '../options.ts'
import type { Limits } from './destination.ts'

/** The table of {@link Limits}. */
export const limitFields = { maxBytes: size(), maxRecords: whole('records') } satisfies Fields<Limits>

/** The {@link Limits} of a destination as they are in force. */
export type LimitsInForce = InForce<Limits, typeof limitFields>
