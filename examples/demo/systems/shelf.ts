/** Records of one kind in a simulated system, which people change and delete. */

export type Fields = Readonly<Record<string, unknown>>

export interface Stored {
  readonly id: string
  readonly fields: Fields
  /** Grows with every change in the system. */
  readonly changed: number
  readonly isDeleted: boolean
}

/** The system's own count of changes, shared by its shelves. */
export interface Clock {
  next(): number
}

export function startClock(): Clock {
  let changes = 0
  return { next: () => ++changes }
}

export class StoredShelf {
  readonly #records = new Map<string, Stored>()
  readonly #clock: Clock

  constructor(records: Iterable<{ readonly id: string; readonly fields: Fields }>, clock: Clock) {
    this.#clock = clock
    for (const { id, fields } of records) this.#put(id, fields, false)
  }

  get(id: string): Stored | undefined {
    const stored = this.#records.get(id)
    return stored?.isDeleted ? undefined : stored
  }

  live(): readonly Stored[] {
    return this.changedAfter(0).filter(({ isDeleted }) => !isDeleted)
  }

  /** In the order they changed, deleted ones included. */
  changedAfter(change: number): readonly Stored[] {
    return [...this.#records.values()].filter(({ changed }) => changed > change)
  }

  /** Null takes a field away. */
  patch(id: string, changes: Fields): Stored | undefined {
    const stored = this.get(id)
    if (stored === undefined) return undefined
    const fields = Object.entries({ ...stored.fields, ...changes }).filter(([, value]) => value !== null)
    return this.#put(id, Object.fromEntries(fields), false)
  }

  delete(id: string): boolean {
    const stored = this.get(id)
    if (stored !== undefined) this.#put(id, stored.fields, true)
    return stored !== undefined
  }

  #put(id: string, fields: Fields, isDeleted: boolean): Stored {
    // Taken out first, so that the map is in the order of changes.
    this.#records.delete(id)
    const stored = { id, fields, changed: this.#clock.next(), isDeleted }
    this.#records.set(id, stored)
    return stored
  }
}
