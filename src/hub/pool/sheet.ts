/**
 * What a pump thread and the main thread share: a few numbers, which can be read while the thread answers nothing.
 *
 * The thread counts beats as long as it comes to its timers, and notes the number of the pipe that holds it, or that had
 * its turn last. It has told the main thread before which pipe each number is.
 */

const [BEATS, HOLDER, LATEST] = [0, 1, 2]
const BYTES = 3 * Int32Array.BYTES_PER_ELEMENT

/** Stands for no pipe. */
export const NOBODY = 0

export class Sheet {
  readonly buffer: SharedArrayBuffer
  readonly #numbers: Int32Array

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(BYTES)) {
    this.buffer = buffer
    this.#numbers = new Int32Array(buffer)
  }

  beat(): void {
    Atomics.add(this.#numbers, BEATS, 1)
  }

  get beats(): number {
    return Atomics.load(this.#numbers, BEATS)
  }

  /** In the midst of a batch of this pipe nothing else runs. */
  hold(pipe: number): void {
    Atomics.store(this.#numbers, HOLDER, pipe)
  }

  /** It is this pipe's turn; others may come in between. */
  turnTo(pipe: number): void {
    Atomics.store(this.#numbers, LATEST, pipe)
  }

  /** The pipe that is worked for now: surely, when it is in the midst of a batch, and otherwise most likely. */
  get pipe(): number {
    return Atomics.load(this.#numbers, HOLDER) || Atomics.load(this.#numbers, LATEST)
  }
}
