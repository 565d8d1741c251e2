/** The datasets' documents as parsed objects: one that did not change is not looked at again, however many others do. */

import { readChanged, readDocument, readDocuments, readHouse, type StoredDocument } from './documents.ts'
import type { Environment, ReadTransaction } from './environment.ts'

/** The documents as of one read transaction. */
export interface DocumentsThen {
  get(id: string): StoredDocument | undefined
  /** In the order of their ids. */
  all(): readonly StoredDocument[]
}

interface Known {
  /** Undefined: the dataset is gone. */
  readonly document: StoredDocument | undefined
  /** The change that made it so. */
  readonly changed: number
}

export class DocumentCache {
  readonly #environment: Environment
  readonly #known = new Map<string, Known>()
  #ids: readonly string[] | null = null
  #writer: string | undefined
  /** Changes from here to there are known. */
  #from = 0
  #to = -1
  #parsed = 0

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** Documents parsed so far. */
  get parsed(): number {
    return this.#parsed
  }

  at(transaction: ReadTransaction): DocumentsThen {
    const house = readHouse(this.#environment, transaction)
    const now = house?.documents ?? 0
    if (this.#to < 0 || house?.writer !== this.#writer) this.#load(transaction, now, house?.writer)
    else if (now > this.#to) this.#follow(transaction, now)
    // Only a snapshot that is older than the cache reads past it.
    if (now < this.#from) return this.#uncached(transaction)
    const get = (id: string) => {
      const known = this.#known.get(id)
      return known === undefined || known.changed <= now ? known?.document : this.#read(id, transaction)
    }
    return { get, all: () => this.#sortedIds().flatMap((id) => get(id) ?? []) }
  }

  #load(transaction: ReadTransaction, now: number, writer: string | undefined): void {
    this.#known.clear()
    for (const document of readDocuments(this.#environment, transaction)) {
      this.#known.set(document.id, { document, changed: document.changed })
      this.#parsed++
    }
    this.#ids = null
    this.#writer = writer
    this.#from = now
    this.#to = now
  }

  #follow(transaction: ReadTransaction, now: number): void {
    for (const [changed, id] of readChanged(this.#environment, this.#to, transaction)) {
      if (!this.#known.has(id)) this.#ids = null
      this.#known.set(id, { document: this.#read(id, transaction), changed })
    }
    this.#to = now
  }

  #read(id: string, transaction: ReadTransaction): StoredDocument | undefined {
    this.#parsed++
    return readDocument(this.#environment, id, transaction)
  }

  /** Of those that are gone, too. The order is that of the table: bytes. */
  #sortedIds(): readonly string[] {
    this.#ids ??= [...this.#known.keys()]
      .map((id) => [id, Buffer.from(id)] as const)
      .sort(([, a], [, b]) => Buffer.compare(a, b))
      .map(([id]) => id)
    return this.#ids
  }

  #uncached(transaction: ReadTransaction): DocumentsThen {
    return {
      get: (id) => this.#read(id, transaction),
      all: () => readDocuments(this.#environment, transaction),
    }
  }
}
