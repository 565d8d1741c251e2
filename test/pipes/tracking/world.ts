/** Datasets with histories, and a pipe over them whose dataset must be what a full run makes. */

import { compactDataset } from '../../../src/log/compaction.ts'
import type { DatasetView, Journal } from '../../../src/log/contract.ts'
import { fillIndex } from '../../../src/log/fill.ts'
import type { LogReader } from '../../../src/log/reader.ts'
import { DatasetWriter, IndexCompiler } from '../../../src/pipes/dataset-writer.ts'
import type { Pipe } from '../../../src/pipes/pipe.ts'
import { runPipe } from '../../../src/pipes/pump.ts'
import type { RunReport } from '../../../src/pipes/run-report.ts'
import type { RunOrder } from '../../../src/pipes/schedule.ts'
import { trackedUpTo } from '../../../src/pipes/tracking/book.ts'
import { trackersOf, trackingOffset } from '../../../src/pipes/tracking/offsets.ts'
import { entity, type OpenedLog, reading } from '../../log/sample.ts'
import { killedAfter, portsOf } from '../running-pipe.ts'

export type Json = Readonly<Record<string, unknown>> & { readonly _id: string }

export interface RunHow extends Partial<RunOrder> {
  /** Commits after which its process dies. */
  readonly commits?: number
  /** A planted bug: tracking offsets go with the first page of what was touched. */
  readonly savesEarly?: boolean
  /** A planted bug: of a change only the new version is seen. */
  readonly forgetsBefore?: boolean
}

export class World {
  readonly #log: OpenedLog
  readonly #indexes = new IndexCompiler()

  constructor(log: OpenedLog) {
    this.#log = log
  }

  async make(...datasets: readonly string[]): Promise<void> {
    const { writer } = this.#log
    for (const dataset of datasets) await writer.assertDataset(dataset)
    await writer.commit({ populated: datasets.map((dataset) => [dataset, true] as const) })
  }

  async put(dataset: string, ...entities: readonly Json[]): Promise<void> {
    const document = () => this.view(dataset, (view) => view.document)
    const writer = new DatasetWriter(this.#log.writer, this.#indexes, dataset, document, () => {})
    await writer.write(entities.map(entity), {})
  }

  run(pipe: Pipe, how: RunHow = {}): Promise<RunReport> {
    const { commits = Number.POSITIVE_INFINITY, kind = 'incremental', savesEarly, forgetsBefore, ...more } = how
    const { writer } = this.#log
    const log = forgetsBefore === true ? withoutFormerVersions(this.#log.log) : this.#log.log
    const mortal = killedAfter(writer as Journal, commits)
    const journal = savesEarly === true ? this.#savingEarly(pipe, mortal) : mortal
    const ports = portsOf(journal, log, {
      indexes: this.#indexes,
      assertIndex: ({ dataset, expression, feeds = false }) =>
        fillIndex(writer, log, dataset, expression, (one) => this.#indexes.keysOf(expression, one), { feeds }),
    })
    return runPipe(pipe, ports, { kind, ...more }, new AbortController().signal)
  }

  #savingEarly({ id, tracking }: Pipe, journal: Journal): Journal {
    const datasets = tracking?.datasets ?? []
    const ends = datasets.map((dataset) => [dataset, this.view(dataset, (view) => view.counts().end - 1)] as const)
    const isTracking = datasets.every((dataset) => this.offset(trackingOffset(id, dataset)) !== undefined)
    const commit: Journal['commit'] = (one) => {
      const offsets = isTracking ? trackedUpTo(id, ends) : []
      return journal.commit({ ...one, offsets: [...(one.offsets ?? []), ...offsets] })
    }
    return withMember(journal, 'commit', commit)
  }

  /** Takes away every version that `keep` newer ones follow, and no tracker needs. */
  async compact(dataset: string, keep: number): Promise<void> {
    const { writer, log } = this.#log
    const tracked = (all: readonly number[]) => (all.length === 0 ? null : Math.min(...all))
    await compactDataset(
      {
        journal: writer,
        log,
        now: Date.now,
        readers: (snapshot, of) => ({ tracked: tracked(trackersOf(of, snapshot)), history: null, passed: null }),
      },
      dataset,
      { keepVersions: keep, thresholdHours: null, forget: null, retract: null },
      new AbortController().signal,
    )
  }

  view<T>(dataset: string, read: (view: DatasetView) => T): T {
    return reading(this.#log.log, (snapshot) => read(snapshot.dataset(dataset) as DatasetView))
  }

  /** Its live entities, as text; without the hub's own fields of entities that were put into them, which tell of history. */
  live(dataset: string): readonly string[] {
    return this.view(dataset, (view) =>
      [...view.entities({ deleted: false })].map(({ body }) =>
        Buffer.from(body)
          .toString()
          .replaceAll(/"(?:_updated|_previous|_ts|_hash)":(?:\d+|null|"[0-9a-f]+"),?/g, '')
          .replaceAll(',}', '}'),
      ),
    )
  }

  offset(name: string): string | undefined {
    return reading(this.#log.log, (snapshot) => snapshot.offset(name))
  }
}

function withMember<T extends object, K extends keyof T>(of: T, name: K, instead: T[K]): T {
  return new Proxy(of, {
    get(target, asked) {
      if (asked === name) return instead
      const member: unknown = Reflect.get(target, asked)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

/** A log in which no version is found by its place. */
const withoutFormerVersions = (log: LogReader): LogReader =>
  withMember(log, 'snapshot', () => {
    const snapshot = log.snapshot()
    return withMember(snapshot, 'dataset', (id) => {
      const view = snapshot.dataset(id)
      return view && withMember(view, 'version', () => undefined)
    })
  })
