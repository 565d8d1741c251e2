/** What a walk over a log finds: a law that does not hold, and the place. */

export type Law =
  /** Something cannot be read: a checksum, a page, a row that is cut short. */
  | 'unreadable'
  /** The process that read it ended. */
  | 'reader-died'
  /** Sequences grow, and stay below the dataset's end. */
  | 'sequence'
  /** `_previous` names an older version of the same id, or one that is gone. */
  | 'previous'
  /** Each id of the log has a row in `latest`, which names its newest version, with the same hash and state. */
  | 'latest'
  /** Counts and sums equal what is there. */
  | 'counts'
  /** Index rows are the keys that latest rows hold, and these are those of the content. */
  | 'index'
  /** A reading position lies within its dataset. */
  | 'offset'
  /** Rows belong to a dataset and an index that exist, or that are being swept away. */
  | 'stray'

/** Where: whatever of it is known. */
export interface Place {
  readonly table?: string
  readonly dataset?: string
  readonly sequence?: number
  readonly id?: string
  /** Expression of the index. */
  readonly index?: string
  /** Hexadecimal. */
  readonly key?: string
}

export interface Finding {
  readonly law: Law
  readonly message: string
  readonly place: Place
}

/** What was looked at. */
export interface Walked {
  datasets: number
  versions: number
  ids: number
  indexRows: number
  offsets: number
  states: number
}

export const nothingWalked = (): Walked => ({
  datasets: 0,
  versions: 0,
  ids: 0,
  indexRows: 0,
  offsets: 0,
  states: 0,
})

/** Told of each law and dataset in full; beyond it they are only counted. */
const TOLD = 100

/** Passes findings on, and counts those that are too many to be told one by one. */
export class Findings {
  readonly #tell: (finding: Finding) => void
  readonly #counts = new Map<string, number>()
  #total = 0

  constructor(tell: (finding: Finding) => void) {
    this.#tell = tell
  }

  get total(): number {
    return this.#total
  }

  add(law: Law, message: string, place: Place = {}): void {
    this.#total++
    const group = `${law} ${place.dataset ?? place.table ?? ''}`
    const count = (this.#counts.get(group) ?? 0) + 1
    this.#counts.set(group, count)
    if (count <= TOLD) this.#tell({ law, message, place })
  }

  /** Tells how many were not told. */
  end(): void {
    for (const [group, count] of this.#counts) {
      if (count <= TOLD) continue
      const [law, dataset] = group.split(' ') as [Law, string]
      this.#tell({ law, message: `… and ${count - TOLD} more of this kind.`, place: { dataset } })
    }
  }
}
