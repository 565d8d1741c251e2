/** The newest of many things: a fixed number of them, the oldest overwritten. */

export class Ring<T> {
  readonly #size: number
  readonly #kept: T[] = []
  #next = 0

  constructor(size: number) {
    this.#size = size
  }

  get length(): number {
    return this.#kept.length
  }

  push(one: T): void {
    this.#kept[this.#next] = one
    this.#next = (this.#next + 1) % this.#size
  }

  /** Oldest first. */
  all(): readonly T[] {
    return this.#kept.length < this.#size
      ? [...this.#kept]
      : [...this.#kept.slice(this.#next), ...this.#kept.slice(0, this.#next)]
  }
}
