/**
 * Where the records of a run stand in their input: what somebody needs who has to look at a bad one. A splitter says it for the runs that it
 * finds; slices and picks of them look it up, so that nothing is computed for a record that is good.
 */
import { indexesOf, type Stretches } from './stretches.ts'

/** Where a record stands in its input. */
export interface Place {
  /** What the input is called, if it has a name: a path. */
  readonly source?: string | undefined
  /** The offset of the record's first byte in the input, in bytes. Of compressed input: in what is in it. */
  readonly offset: number
  /** The number of the line that the record is, from 1 on; `undefined` where the splitter does not know lines. */
  readonly line?: number | undefined
}

/** The places of the records of a run. */
export interface Places {
  /** The offset in the input of the record at `index`, in bytes. */
  offset(index: number): number
  /** The number of its line, from 1 on. */
  line(index: number): number | undefined
}

/** What {@link placesOf} is told of a run. */
export interface PlacesShape {
  /** The offset of the record at `index`, in bytes. */
  offset(index: number): number
  /** The number of the first record's line, where records are lines. */
  readonly firstLine?: number | undefined
  /** For each record, how many lines behind that it stands. Default: as many as there are records in front of it. */
  readonly linesBehind?: ArrayLike<number> | undefined
}

/** The places of a run as a splitter knows them. */
export function placesOf({ offset, firstLine, linesBehind }: PlacesShape): Places {
  const line = (index: number) => firstLine && firstLine + (linesBehind?.[index] ?? index)
  return { offset, line }
}

/** The same places, `bytes` further on in the input. */
export function shifted(places: Places, bytes: number): Places {
  return { offset: (index) => places.offset(index) + bytes, line: (index) => places.line(index) }
}

/** The places of the records from `from` on. */
export function slicedPlaces(places: Places, from: number): Places {
  return from === 0 ? places : mapped(places, (index) => index + from)
}

/** The places of the records at `indexes`, in that order. They are kept, and must not change. */
export function pickedPlaces(places: Places, indexes: ArrayLike<number>): Places {
  return mapped(places, (index) => indexes[index] ?? 0)
}

/** The places of the records in some stretches. */
export function stretchedPlaces(places: Places, stretches: Stretches): Places {
  let indexes: Uint32Array | undefined
  return mapped(places, (index) => {
    indexes ??= indexesOf(stretches)
    return indexes[index] ?? 0
  })
}

function mapped(places: Places, indexOf: (index: number) => number): Places {
  return { offset: (index) => places.offset(indexOf(index)), line: (index) => places.line(indexOf(index)) }
}

/** A place in words: `line 7 of app.ndjson, at byte 302`. */
export function placeText({ source = 'the input', offset, line }: Place): string {
  return line === undefined ? `byte ${offset} of ${source}` : `line ${line} of ${source}, at byte ${offset}`
}
