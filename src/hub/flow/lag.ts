/**
 * How long a change takes from where the hub first stores it to its last effect, at the end of each chain of pipes.
 *
 * A *wave* is what a run wrote into its dataset, with the moment at which the oldest change that it came of was stored in a
 * dataset at the beginning of the chain. A run that took in a part of a dataset carries on the oldest wave of that part, or,
 * where nobody knows of one, begins another with the moment at which the part was stored. All of this is kept in memory:
 * after a restart a chain is measured from where it is.
 */

import type { Snapshot } from '../../log/contract.ts'
import type { Pipe } from '../../pipes/pipe.ts'
import { consumedBy, firstStoredAfter } from './consumed.ts'

export interface Lag {
  /** The dataset at the end, or the pipe that hands what comes out to another system. */
  readonly end: { readonly kind: 'dataset' | 'pipe'; readonly id: string }
  readonly seconds: number
}

interface Wave {
  /** Sequences of the dataset it wrote, the first excluded. */
  readonly after: number
  readonly to: number
  /** Milliseconds since 1970. */
  readonly origin: number
}

/** Waves kept of a dataset; older ones were taken in long ago, or nobody follows. */
const KEPT = 200
/** Lags kept until somebody takes them. */
const WAITING = 10_000

export class LagMeter {
  /** By dataset, oldest first. */
  readonly #waves = new Map<string, Wave[]>()
  /** By pipe and dataset that it reads. */
  readonly #taken = new Map<string, number>()
  /** By dataset that a pipe writes, the last sequence that a wave tells of. */
  readonly #written = new Map<string, number>()
  readonly #last = new Map<string, number>()
  /** Runs that took in what a run under way wrote: it tells of its wave when it ends. */
  readonly #waiting = new Map<string, { readonly pipe: Pipe; readonly at: number; readonly wrote: boolean }>()
  #lags: Lag[] = []

  /** Seconds of the last measurement by the id of the end; null: none yet. */
  last(end: string): number | null {
    return this.#last.get(end) ?? null
  }

  /** What was measured since it was asked last. */
  take(): readonly Lag[] {
    return this.#lags.splice(0)
  }

  /** A run is over. `isRunning` says whether a dataset is being written by a run under way. */
  ended(
    pipe: Pipe,
    at: number,
    wrote: boolean,
    snapshot: Snapshot,
    { isEnd, isRunning }: { isEnd(dataset: string): boolean; isRunning(dataset: string): boolean },
  ): void {
    const origin = this.#origin(pipe, snapshot, isRunning)
    if (origin === 'later') return void this.#waiting.set(pipe.id, { pipe, at, wrote })
    this.#waiting.delete(pipe.id)
    const { sink } = pipe
    if (sink.kind !== 'dataset') {
      if (origin !== null && wrote) this.#tell({ kind: 'pipe', id: pipe.id }, at - origin)
      return
    }
    const { dataset } = sink
    const to = (snapshot.dataset(dataset)?.counts().end ?? 0) - 1
    const after = this.#written.get(dataset)
    this.#written.set(dataset, to)
    if (origin === null || after === undefined || to <= after) return
    const waves = this.#waves.get(dataset) ?? []
    this.#waves.set(dataset, [...waves, { after, to, origin }].slice(-KEPT))
    if (isEnd(dataset)) this.#tell({ kind: 'dataset', id: dataset }, at - origin)
    for (const { pipe: reader, ...run } of [...this.#waiting.values()]) {
      if (!consumedBy(reader, snapshot).some((one) => one.dataset === dataset)) continue
      this.ended(reader, Math.max(run.at, at), run.wrote, snapshot, {
        isEnd,
        isRunning: (one) => one !== dataset && isRunning(one),
      })
    }
  }

  /** Since when the oldest change waits that the pipe has not taken in, in milliseconds since 1970; null: none does. */
  waitingSince(pipe: Pipe, snapshot: Snapshot): number | null {
    const since = consumedBy(pipe, snapshot).flatMap(({ dataset, at, last }) =>
      at >= last ? [] : (this.#oldest(dataset, at, last) ?? firstStoredAfter(dataset, at, snapshot) ?? []),
    )
    return since.length === 0 ? null : Math.min(...since)
  }

  /** Of what the pipe has taken in since its last run; null: of nothing. */
  #origin(pipe: Pipe, snapshot: Snapshot, isRunning: (dataset: string) => boolean): number | 'later' | null {
    const news: number[] = []
    const taken: [string, number][] = []
    for (const { dataset, as, at } of consumedBy(pipe, snapshot)) {
      const key = `${as} ${pipe.id}\n${dataset}`
      const before = this.#taken.get(key)
      taken.push([key, at])
      if (before === undefined || before >= at) continue
      const known = this.#oldest(dataset, before, at)
      if (known === null && isRunning(dataset)) return 'later'
      const origin = known ?? firstStoredAfter(dataset, before, snapshot)
      if (origin !== null) news.push(origin)
    }
    for (const [key, at] of taken) this.#taken.set(key, at)
    return news.length === 0 ? null : Math.min(...news)
  }

  #oldest(dataset: string, after: number, to: number): number | null {
    const among = (this.#waves.get(dataset) ?? []).filter((wave) => wave.to > after && wave.after < to)
    return among.length === 0 ? null : Math.min(...among.map(({ origin }) => origin))
  }

  #tell(end: Lag['end'], milliseconds: number): void {
    const seconds = Math.max(0, milliseconds) / 1000
    this.#last.set(end.id, seconds)
    if (this.#lags.length < WAITING) this.#lags.push({ end, seconds })
  }
}
