/** A set of sequences as bits: however many there are, it takes an eighth of a byte for each version around them. */

/** Words of a page. */
const WORDS = 256
const PAGE = 32 * WORDS

export class Bits {
  readonly #pages = new Map<number, Int32Array>()
  #size = 0

  get size(): number {
    return this.#size
  }

  has(sequence: number): boolean {
    const word = this.#pages.get(Math.floor(sequence / PAGE))?.[(sequence % PAGE) >>> 5] ?? 0
    return (word & (1 << (sequence & 31))) !== 0
  }

  /** False when it was there. */
  add(sequence: number): boolean {
    const number = Math.floor(sequence / PAGE)
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = new Int32Array(WORDS)
      this.#pages.set(number, page)
    }
    const at = (sequence % PAGE) >>> 5
    const word = page[at] as number
    const bit = 1 << (sequence & 31)
    if ((word & bit) !== 0) return false
    page[at] = word | bit
    this.#size++
    return true
  }

  /** Takes out its first ones, ascending: `most` of them, or all when there are fewer. */
  take(most: number): number[] {
    const taken: number[] = []
    for (const number of [...this.#pages.keys()].sort((a, b) => a - b)) {
      const page = this.#pages.get(number) as Int32Array
      if (!takeFrom(page, number * PAGE, most, taken)) break
      this.#pages.delete(number)
    }
    this.#size -= taken.length
    return taken
  }
}

/** False when the page may hold more. */
function takeFrom(page: Int32Array, first: number, most: number, taken: number[]): boolean {
  for (let at = 0; at < WORDS; at++) {
    for (let word = page[at] as number; word !== 0; word = page[at] as number) {
      if (taken.length === most) return false
      const bit = 31 - Math.clz32(word & -word)
      page[at] = word & ~(1 << bit)
      taken.push(first + 32 * at + bit)
    }
  }
  return true
}
