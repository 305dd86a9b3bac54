/** How keys of JSON objects are compared with the names of columns and members. */
export interface KeyRules {
  /** Whether upper and lower case are the same. */
  readonly caseInsensitive: boolean
  /** Whether a dot is the same as an underscore. */
  readonly dotsToUnderscores: boolean
}

/** The form of a key in which it is compared. */
export function foldKey(key: string, { caseInsensitive, dotsToUnderscores }: KeyRules): string {
  const lower = caseInsensitive ? key.toLowerCase() : key
  return dotsToUnderscores ? lower.replaceAll('.', '_') : lower
}

/** Keys come again with each record, but records may bring new ones without end: so many are kept with what they were found to be. */
const maxKnownKeys = 4096

/** Finds the place of a column or member by a key of a JSON object. */
export class KeyNames {
  readonly #rules: KeyRules
  readonly #places: ReadonlyMap<string, number>
  readonly #known = new Map<string, number>()

  /** @param keys - The keys in their order; no two may be equal by the rules. */
  constructor(keys: readonly string[], rules: KeyRules) {
    this.#rules = rules
    this.#places = new Map(keys.map((key, place) => [foldKey(key, rules), place]))
  }

  /** The place that a key stands for; -1 where it stands for none. */
  placeOf(key: string): number {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const place = this.#places.get(foldKey(key, this.#rules)) ?? -1
    if (this.#known.size < maxKnownKeys) this.#known.set(key, place)
    return place
  }
}
