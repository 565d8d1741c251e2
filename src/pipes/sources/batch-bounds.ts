/** When a batch is full: by its entities, and by their bytes, so that large ones do not fill the memory (design: pumps and threads). */

/** Of the stored or sent form; a batch ends with the entity that takes it there. */
export const BATCH_BYTES = 8 * 1024 * 1024

export class BatchBounds {
  readonly #most: number
  readonly #mostBytes: number
  #count = 0
  #bytes = 0

  constructor(most: number, mostBytes: number = BATCH_BYTES) {
    this.#most = most
    this.#mostBytes = mostBytes
  }

  /** Another entity; gives whether the batch is full with it. */
  add(bytes: number): boolean {
    this.#count++
    this.#bytes += bytes
    return this.#count >= this.#most || this.#bytes >= this.#mostBytes
  }
}
