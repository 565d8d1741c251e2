/** How the pipes of a tenant stand, as numbers: read straight from where they are, a slice at a time. */

import type { DatasetDocument, DatasetView, Feed, Snapshot } from '../../log/contract.ts'
import { get } from '../../model/dict.ts'
import { isDict } from '../../model/value.ts'
import { type Pipe, runsByPump } from '../../pipes/pipe.ts'
import { outOfSync } from '../../pipes/reprocessing/reprocess.ts'
import { pendingCount } from '../../pipes/retries/queue.ts'
import type { DeployedPipe } from '../deployment.ts'
import type { PumpCounters } from '../pump-counters.ts'
import type { PumpState } from '../pump-state.ts'
import { sourceQueue, trackingQueue } from './queues.ts'
import type { LogSamples } from './samples.ts'

export interface PipeFigures {
  readonly id: string
  readonly configGroup: string
  /** No other pipe reads what it writes. */
  readonly isLeaf: boolean
  readonly isEnabled: boolean
  readonly isValid: boolean
  readonly isTripped: boolean
  /** Bytes of its dataset; null: it has none, or nobody has looked yet. */
  readonly bytes: number | null
  /** Changes that it has not read; null where nobody can know. */
  readonly sourceQueue: number | null
  /** Changes of what it hops to that are not followed back yet; null: it follows none. */
  readonly trackingQueue: number | null
  readonly sink: DatasetFigures | null
  readonly deadLetters: DatasetFigures | null
  /** Reasons why it may hold other than what it would make now. */
  readonly outOfSync: number
  /** For how long the oldest change has waited; null where nobody can know. */
  readonly waitingSeconds: number | null
  /** What its last run came to. */
  readonly state: PumpState
  /** Null for one that does not run by itself: disabled, in mode manual or off, or run by requests (hub.md §25.4). */
  readonly pump: PumpFigures | null
}

export interface DatasetFigures {
  readonly exists: number
  readonly deleted: number
  /** Versions in its log that are no deletions, and that are; null: nobody has looked yet. */
  readonly logExists: number | null
  readonly logDeleted: number | null
}

export interface PumpFigures {
  readonly state: PumpState
  readonly counters: PumpCounters
  readonly retryable: number
  /** Milliseconds since 1970. */
  readonly nextRunAt: number | null
}

export interface FiguresPorts {
  pipes(): ReadonlyMap<string, DeployedPipe>
  /** Whether some pipe reads the dataset. */
  isRead(dataset: string): boolean
  snapshot(): Snapshot
  readonly feed: Feed
  state(pipe: string): PumpState
  counters(pipe: string): PumpCounters
  nextRunAt(pipe: string): number | null
  /** Milliseconds since 1970; null: nothing waits. */
  waitingSince(pipe: Pipe, snapshot: Snapshot): number | null
  readonly samples: LogSamples
  /** Milliseconds since 1970. */
  now(): number
}

/** Time after which others get their turn. */
const SLICE_MS = 4

interface Synced {
  readonly pipe: Pipe
  readonly endedAt: number | null
  readonly documents: readonly (DatasetDocument | undefined)[]
  readonly reasons: number
}

export class Figures {
  readonly #ports: FiguresPorts
  /** What {@link outOfSync} said, and what of. */
  readonly #synced = new Map<string, Synced>()

  constructor(ports: FiguresPorts) {
    this.#ports = ports
  }

  /** All pipes, in slices. */
  async *read(): AsyncGenerator<readonly PipeFigures[]> {
    const ids = [...this.#ports.pipes().keys()]
    for (let place = 0; place < ids.length; await turn()) {
      const found: PipeFigures[] = []
      const until = performance.now() + SLICE_MS
      const snapshot = this.#ports.snapshot()
      try {
        while (place < ids.length && performance.now() < until) {
          const deployed = this.#ports.pipes().get(ids[place++] as string)
          if (deployed !== undefined) found.push(this.#of(deployed, snapshot))
        }
      } finally {
        snapshot.close()
      }
      yield found
    }
    for (const id of this.#synced.keys()) if (!this.#ports.pipes().has(id)) this.#synced.delete(id)
  }

  #of(deployed: DeployedPipe, snapshot: Snapshot): PipeFigures {
    const { component, pipe, effective } = deployed
    const { id } = component
    const state = this.#ports.state(id)
    const sink = pipe?.sink.kind === 'dataset' ? snapshot.dataset(pipe.sink.dataset) : undefined
    const letters = pipe?.errors.deadLetters ? snapshot.dataset(pipe.errors.deadLetters.dataset) : undefined
    const metadata = get(effective, 'metadata')
    const group = isDict(metadata) ? get(metadata, '$config-group') : undefined
    return {
      id,
      configGroup: typeof group === 'string' ? group : 'default',
      isLeaf: pipe?.sink.kind !== 'dataset' || !this.#ports.isRead(pipe.sink.dataset),
      isEnabled: !state.isDisabled,
      isValid: pipe !== null,
      isTripped: sink?.document.isTripped ?? false,
      sourceQueue: pipe === null ? null : sourceQueue(pipe, snapshot, this.#ports.feed),
      trackingQueue: pipe === null ? null : trackingQueue(pipe, snapshot, this.#ports.feed),
      ...this.#sinkFigures(sink),
      deadLetters: letters === undefined ? null : this.#datasetFigures(letters).figures,
      state,
      outOfSync: pipe === null ? 0 : this.#outOfSync(pipe, state, snapshot),
      waitingSeconds: pipe === null ? null : this.#waitingSeconds(pipe, snapshot),
      pump: pipe === null || !runsByItself(pipe, state) ? null : this.#pumpFigures(pipe, state, snapshot),
    }
  }

  #sinkFigures(sink: DatasetView | undefined): Pick<PipeFigures, 'sink' | 'bytes'> {
    if (sink === undefined) return { sink: null, bytes: null }
    const { figures, bytes } = this.#datasetFigures(sink)
    return { sink: figures, bytes }
  }

  #datasetFigures(view: DatasetView): { readonly figures: DatasetFigures; readonly bytes: number | null } {
    const counts = view.counts()
    const { existing, deleted, versions } = counts
    const sample = this.#ports.samples.of(view, counts)
    // What is known of the log may be a minute old, and the counts are of now.
    const logDeleted = sample === null ? null : Math.min(versions, Math.max(sample.deleted, deleted))
    const logExists = logDeleted === null ? null : versions - logDeleted
    return { figures: { exists: existing, deleted, logExists, logDeleted }, bytes: sample?.bytes ?? null }
  }

  #waitingSeconds(pipe: Pipe, snapshot: Snapshot): number | null {
    if (!runsByPump(pipe) || pipe.source.inputs.length + (pipe.tracking?.datasets.length ?? 0) === 0) return null
    const since = this.#ports.waitingSince(pipe, snapshot)
    return since === null ? 0 : Math.max(0, this.#ports.now() - since) / 1000
  }

  /** It can only change when the pipe ran, or what it reads became something else. */
  #outOfSync(pipe: Pipe, { lastEndedAt }: PumpState, snapshot: Snapshot): number {
    const documents = [...pipe.source.inputs, ...pipe.reads].map((dataset) => snapshot.dataset(dataset)?.document)
    const known = this.#synced.get(pipe.id)
    const isSame = known?.pipe === pipe && known.endedAt === lastEndedAt && isEqual(known.documents, documents)
    if (isSame) return known.reasons
    const reasons = outOfSync(pipe, snapshot).length
    this.#synced.set(pipe.id, { pipe, endedAt: lastEndedAt, documents, reasons })
    return reasons
  }

  #pumpFigures({ id }: Pipe, state: PumpState, snapshot: Snapshot): PumpFigures {
    return {
      state,
      counters: this.#ports.counters(id),
      retryable: pendingCount(id, snapshot),
      nextRunAt: this.#ports.nextRunAt(id),
    }
  }
}

const runsByItself = (pipe: Pipe, { isDisabled }: PumpState): boolean =>
  !isDisabled && pipe.pump.mode === 'scheduled' && runsByPump(pipe)

const isEqual = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((one, place) => one === b[place])

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
