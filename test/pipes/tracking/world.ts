/** Datasets with histories, and a pipe over them whose dataset must be what a full run makes. */

import { compactDataset } from '../../../src/log/compaction.ts'
import type { DatasetView, Journal } from '../../../src/log/contract.ts'
import { fillIndex } from '../../../src/log/fill.ts'
import { entityOf } from '../../../src/log/stored.ts'
import { isDeleted } from '../../../src/model/entity.ts'
import { writeJson } from '../../../src/model/json.ts'
import { DatasetWriter, IndexCompiler } from '../../../src/pipes/dataset-writer.ts'
import type { Pipe } from '../../../src/pipes/pipe.ts'
import { runPipe } from '../../../src/pipes/pump.ts'
import type { RunReport } from '../../../src/pipes/run-report.ts'
import type { RunOrder } from '../../../src/pipes/schedule.ts'
import { trackersOf } from '../../../src/pipes/tracking/offsets.ts'
import { entity, type OpenedLog, reading } from '../../log/sample.ts'
import { killedAfter, portsOf } from '../running-pipe.ts'

export type Json = Readonly<Record<string, unknown>> & { readonly _id: string }

export interface RunHow extends Partial<RunOrder> {
  /** Commits after which its process dies. */
  readonly commits?: number
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

  run(
    pipe: Pipe,
    { commits = Number.POSITIVE_INFINITY, kind = 'incremental', ...more }: RunHow = {},
  ): Promise<RunReport> {
    const { writer, log } = this.#log
    const journal = killedAfter(writer as Journal, commits)
    const ports = portsOf(journal, log, {
      indexes: this.#indexes,
      assertIndex: ({ dataset, expression, feeds = false }) =>
        fillIndex(writer, log, dataset, expression, (one) => this.#indexes.keysOf(expression, one), { feeds }),
    })
    return runPipe(pipe, ports, { kind, ...more }, new AbortController().signal)
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

  /** Its live entities, as text. */
  live(dataset: string): readonly string[] {
    return this.view(dataset, (view) =>
      [...view.entities()].flatMap((version) => {
        const one = entityOf(version, { internal: false })
        return isDeleted(one) ? [] : [writeJson(one)]
      }),
    )
  }

  offset(name: string): string | undefined {
    return reading(this.#log.log, (snapshot) => snapshot.offset(name))
  }
}
