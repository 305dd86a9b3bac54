import { stringify } from '../records/serialise.ts'

/** One value of so many is serialised to see how large it is. */
const looksApart = 64

/** Tells about how large the values are that a function makes, without serialising all of them. */
export class Sizes {
  /** How large the value was that was looked at last. */
  #usual = 0
  /** So many values come before the next one is looked at. */
  #beforeLook = 0

  /** About how many bytes a value will take as JSON. */
  of(value: unknown): number {
    if (this.#beforeLook === 0) {
      const json = stringify(value)
      this.#usual = typeof json === 'string' ? json.length : 0
      this.#beforeLook = looksApart
    }
    this.#beforeLook -= 1
    return this.#usual
  }
}
