/** What a full read brought, as bits over the sequences of the versions that were there when it began. */

/** Bytes of a page: the unit in which bits are kept and saved. */
const PAGE_BYTES = 1024
const PAGE = 8 * PAGE_BYTES

/**
 * An entity was seen when the bit of its newest version is set. Whatever the read changes gets a newer version, beyond
 * {@link end}, which needs no bit: what is newer than the beginning of the read is never gone. So a bit is only needed
 * for what came and was unchanged, and 100 million versions take 12.5 MB at most.
 */
export class SeenSet {
  /** Next sequence of the dataset when the read began. */
  readonly end: number
  /** Of the dataset: the sequences of another one are others. */
  readonly generation: string
  readonly #pages = new Map<number, Uint8Array>()
  readonly #changed = new Set<number>()

  constructor(generation: string, end: number) {
    this.generation = generation
    this.end = end
  }

  mark(sequence: number): void {
    if (sequence >= this.end) return
    const number = Math.floor(sequence / PAGE)
    const page = this.#page(number)
    const bit = sequence % PAGE
    const byte = page[bit >> 3] as number
    const marked = byte | (1 << (bit & 7))
    if (marked === byte) return
    page[bit >> 3] = marked
    this.#changed.add(number)
  }

  has(sequence: number): boolean {
    if (sequence >= this.end) return true
    const bit = sequence % PAGE
    const byte = this.#pages.get(Math.floor(sequence / PAGE))?.[bit >> 3] ?? 0
    return (byte & (1 << (bit & 7))) !== 0
  }

  /** Pages that changed since they were last taken: copies, to be saved. */
  takeChanged(): (readonly [number: number, bytes: Uint8Array])[] {
    const taken = [...this.#changed].map((number) => [number, Uint8Array.from(this.#page(number))] as const)
    this.#changed.clear()
    return taken
  }

  /** Nobody knows whether what was taken was saved: all of it is to be taken again. */
  changedAgain(): void {
    for (const number of this.#pages.keys()) this.#changed.add(number)
  }

  /** Numbers of all its pages, saved or not. */
  pages(): Iterable<number> {
    return this.#pages.keys()
  }

  /** A page as it was saved. */
  restore(number: number, bytes: Uint8Array): void {
    this.#pages.set(number, Uint8Array.from(bytes))
  }

  #page(number: number): Uint8Array {
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = new Uint8Array(PAGE_BYTES)
      this.#pages.set(number, page)
    }
    return page
  }
}
