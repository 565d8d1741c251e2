/**
 * Where reads of whole subsets stopped that go on page by page. Who left a subset before its index was fed from is known to
 * nobody, which harms no reader who began later: such a reader may go on, however old its place is.
 */

/** Places remembered; a reader whose place was forgotten begins anew. */
const MOST = 10_000

export class WholeReads {
  readonly #places = new Set<string>()

  /** `read` tells one subset of one generation of a dataset from all others. */
  stoppedAt(read: string, sequence: number): void {
    const place = placeOf(read, sequence)
    // The newest stands last.
    this.#places.delete(place)
    this.#places.add(place)
    if (this.#places.size <= MOST) return
    for (const oldest of this.#places) {
      this.#places.delete(oldest)
      return
    }
  }

  mayGoOn(read: string, sequence: number): boolean {
    return this.#places.has(placeOf(read, sequence))
  }
}

const placeOf = (read: string, sequence: number): string => `${sequence} ${read}`
