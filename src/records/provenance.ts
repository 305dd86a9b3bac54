import type { Origin } from '../receipts/receipts.ts'
import { type MetadataColumn, movedMetadata } from './metadata.ts'
import { type Places, pickedPlaces, slicedPlaces, stretchedPlaces } from './places.ts'
import type { Stretches } from './stretches.ts'

/** Where the records of a run came from, and when. */
export interface Provenance {
  /** What the records go back to when they have ended. */
  readonly receipt: Origin
  /** Wall-clock time at which the oldest of the records arrived, in milliseconds. */
  readonly arrivedAt: number
  /** How many functions of transforms the records have been through. Default 0. */
  readonly functions?: number | undefined
  /** Where the records stand in their input, if a splitter found them there. */
  readonly places?: Places | undefined
  /** What their source knows of them; see {@link metadataOf}. Default: nothing. */
  readonly metadata?: MetadataColumn | undefined
}

/** The same of the records from `from` up to `to`. */
export function slicedProvenance(of: Provenance, from: number, to: number): Provenance {
  const { arrivedAt, functions, places, metadata } = of
  return {
    receipt: of.receipt.slice(from, to),
    arrivedAt,
    functions,
    places: places && slicedPlaces(places, from),
    metadata: metadata && (from === 0 ? metadata : movedMetadata(metadata, (index) => index + from)),
  }
}

/** The same of the records at `indexes`, in that order. They are kept, and must not change. */
export function pickedProvenance(of: Provenance, indexes: ArrayLike<number>): Provenance {
  const { arrivedAt, functions, places, metadata } = of
  return {
    receipt: of.receipt.pick(indexes),
    arrivedAt,
    functions,
    places: places && pickedPlaces(places, indexes),
    metadata: metadata && pickedMetadata(metadata, indexes),
  }
}

/** The same of the records in some stretches, all of one receipt and without metadata. */
export function stretchedProvenance(of: Provenance, stretches: Stretches): Provenance {
  const { receipt, arrivedAt, functions, places } = of
  return places === undefined ? of : { receipt, arrivedAt, functions, places: stretchedPlaces(places, stretches) }
}

/** Of records that a function has made of those at `indexes`: they go back to `receipt`. */
export function madeProvenance(
  of: Provenance,
  { receipt, arrivedAt }: Pick<Provenance, 'receipt' | 'arrivedAt'>,
  indexes: ArrayLike<number>,
): Provenance {
  const { functions = 0, places, metadata } = of
  return {
    receipt,
    arrivedAt,
    functions: functions + 1,
    places: places && pickedPlaces(places, indexes),
    metadata: metadata && pickedMetadata(metadata, indexes),
  }
}

/** The same with some of it said otherwise. */
export function changedProvenance(of: Provenance, change: Partial<Provenance>): Provenance {
  const { receipt, arrivedAt, functions, places, metadata } = of
  return { receipt, arrivedAt, functions, places, metadata, ...change }
}

function pickedMetadata(column: MetadataColumn, indexes: ArrayLike<number>): MetadataColumn {
  return movedMetadata(column, (index) => indexes[index] ?? 0)
}
