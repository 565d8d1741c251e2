/** Results by name, kept from one time to the next for as long as what they were made of is the same. */

export class Memory<T> {
  #kept: ReadonlyMap<string, Remembered<T>> = new Map()
  #draft = new Map<string, Remembered<T>>()

  /** Begins anew: what was asked for since the last {@link keep} was only an attempt. */
  next(): void {
    this.#draft = new Map()
  }

  /** What was asked for since {@link next} is what there is now; anything else is forgotten. */
  keep(): void {
    this.#kept = this.#draft
  }

  /** `of`: all that it is made of, compared by identity; `isValid` looks at what only the result knows of. */
  get(name: string, of: readonly unknown[], make: () => T, isValid: (result: T) => boolean = () => true): T {
    const former = this.#draft.get(name) ?? this.#kept.get(name)
    const isSame = former?.of.length === of.length && former.of.every((one, place) => one === of[place])
    const remembered = isSame && isValid(former.result) ? former : { of, result: make() }
    this.#draft.set(name, remembered)
    return remembered.result
  }
}

interface Remembered<T> {
  readonly of: readonly unknown[]
  readonly result: T
}
