/**
 * Fills an index in the background with the versions that were there before it.
 *
 * From the moment an index is declared the writer takes no batch that was packed without it (`index-set-changed`), so
 * every version stored from then on (`until`) brings its keys. What is left are the ids whose newest version is older. The fill
 * walks them in log order, computes their keys here, and hands them over in slices, each with the sequence it was
 * computed from. When an id got a newer version meanwhile, the writer passes its entry over: the newer version brought
 * its own. Progress is stored with each slice, so a fill that was cut short goes on where it was, and two fills of one
 * index do no harm. The last slice makes the index ready, in the same transaction as its entries.
 */

import type { Entity } from '../model/entity.ts'
import { IndexFillPacker } from './batch.ts'
import type { DatasetView, Journal, Snapshot } from './contract.ts'
import { LogError } from './errors.ts'
import type { LogReader } from './reader.ts'
import { entityOf } from './stored.ts'

/** Bytes and versions of one slice, at most. */
const SLICE_BYTES = 1 << 20
const SLICE_VERSIONS = 5_000

export interface FillOptions {
  /** Of the expression and the functions that it uses: another one than the index has means a rebuild. */
  readonly fingerprint?: string
  /** Of whoever owns all callers: they share one fill. What was filled until then is kept. */
  readonly signal?: AbortSignal
  /** Subsets are to be read as feeds from it. */
  readonly feeds?: boolean
}

/** Makes sure that the dataset has the index and that it is complete. Rejects `unknown-dataset`. */
export function fillIndex(
  journal: Journal,
  log: LogReader,
  dataset: string,
  expression: string,
  keysOf: (entity: Entity) => readonly Uint8Array[],
  { fingerprint = '', signal, feeds = false }: FillOptions = {},
): Promise<void> {
  const fill = () => new Fill(journal, log, dataset, expression, { fingerprint, feeds }, keysOf).run(signal)
  // Several pipes of a thread often need the same index at the same time: they wait for one fill.
  let underWay = fills.get(log)
  if (underWay === undefined) {
    underWay = new Map()
    fills.set(log, underWay)
  }
  const name = JSON.stringify([dataset, expression, fingerprint, feeds])
  const former = underWay.get(name)
  if (former !== undefined) return former
  const promise = fill().finally(() => underWay.delete(name))
  underWay.set(name, promise)
  return promise
}

const fills = new WeakMap<LogReader, Map<string, Promise<void>>>()

interface Wanted {
  readonly fingerprint: string
  readonly feeds: boolean
}

class Fill {
  readonly #journal: Journal
  readonly #log: LogReader
  readonly #dataset: string
  readonly #expression: string
  readonly #wanted: Wanted
  readonly #keysOf: (entity: Entity) => readonly Uint8Array[]

  constructor(
    journal: Journal,
    log: LogReader,
    dataset: string,
    expression: string,
    wanted: Wanted,
    keysOf: (entity: Entity) => readonly Uint8Array[],
  ) {
    this.#journal = journal
    this.#log = log
    this.#dataset = dataset
    this.#expression = expression
    this.#wanted = wanted
    this.#keysOf = keysOf
  }

  async run(signal: AbortSignal | undefined): Promise<void> {
    const snapshot = this.#log.snapshot()
    try {
      if (this.#isReady(snapshot)) return
      const { fingerprint, feeds } = this.#wanted
      const index = await this.#journal.assertIndex(this.#dataset, this.#expression, fingerprint, { feeds })
      if (index.state === 'ready') return
      const { number, until } = index
      let owner: number | null = null
      for (let from = index.filled, isDone = false; !isDone; ) {
        signal?.throwIfAborted()
        snapshot.renew()
        const view = snapshot.dataset(this.#dataset)
        // Under the same name there may be another dataset by now.
        if (view === undefined || (owner !== null && owner !== view.document.number)) throw gone(this.#dataset)
        owner = view.document.number
        if (view.document.indexes.find((one) => one.number === number)?.state !== 'filling') return
        const slice = this.#slice(view, number, from, until)
        await this.#journal.fillIndex(this.#dataset, number, slice.entries, slice.end, slice.isLast)
        from = slice.end
        isDone = slice.isLast
      }
    } finally {
      snapshot.close()
    }
  }

  #isReady(snapshot: Snapshot): boolean {
    const { indexes } = snapshot.dataset(this.#dataset)?.document ?? { indexes: [] }
    const index = indexes.find((one) => one.expression === this.#expression)
    const { fingerprint, feeds } = this.#wanted
    return index?.state === 'ready' && index.fingerprint === fingerprint && (!feeds || index.feedsSince !== null)
  }

  #slice(view: DatasetView, number: number, from: number, until: number) {
    const packer = new IndexFillPacker()
    let end = from
    for (const version of view.changes(from === 0 ? null : from - 1, { history: false })) {
      if (version.sequence >= until) break
      if (packer.bytes >= SLICE_BYTES || packer.count === SLICE_VERSIONS) {
        return { entries: packer.finish(), end, isLast: false }
      }
      packer.add(version.id, version.sequence, number, this.#keysOf(entityOf(version, { internal: false })))
      end = version.sequence + 1
    }
    return { entries: packer.finish(), end, isLast: true }
  }
}

const gone = (dataset: string): LogError =>
  new LogError('unknown-dataset', `Dataset '${dataset}' was deleted while its index was filled.`, {
    details: { dataset },
  })
