/** What a pipe's output was made from: enough to see later that something of it is another one by now (hub.md §12). */

import type { DatasetDocument, DatasetView, Snapshot } from '../../log/contract.ts'
import type { Pipe } from '../pipe.ts'

export interface DatasetFacts {
  readonly generation: string
  readonly restore: RestoreFacts | null
  /** Next sequence; null: not known. */
  readonly end: number | null
  readonly populated: boolean | null
}

/** When the data came from a backup last. */
export interface RestoreFacts {
  readonly uuid: string
  /** The highest sequence that came with it, if any. */
  readonly offset: number | null
  /** The generation it had before, as far as it is told. */
  readonly generation: string | null
}

export interface Facts {
  /** Of what the pipe does with entities. */
  readonly fingerprint: string
  /** By dataset; null: it was not there. */
  readonly inputs: Readonly<Record<string, DatasetFacts | null>>
  readonly hops: Readonly<Record<string, DatasetFacts | null>>
  readonly sink: (DatasetFacts & { readonly dataset: string }) | null
  /** What a source outside of the hub says of what it reads; null: it says nothing, or was not asked yet. */
  readonly outside: DatasetFacts | null
}

/** As of the snapshot; what is outside, only its source is told. */
export function factsOf(pipe: Pipe, snapshot: Snapshot): Facts {
  const { source, sink, reads, reprocessing } = pipe
  const own = sink.kind === 'dataset' ? sink.dataset : null
  const factsIn = (datasets: readonly string[]) =>
    Object.fromEntries(datasets.map((id) => [id, datasetFacts(snapshot.dataset(id))] as const))
  const written = own === null ? null : datasetFacts(snapshot.dataset(own))
  return {
    fingerprint: reprocessing.fingerprint,
    inputs: factsIn(source.adapts ? [] : source.inputs),
    hops: factsIn(reads.filter((dataset) => dataset !== own)),
    sink: own === null || written === null ? null : { dataset: own, ...written },
    outside: null,
  }
}

function datasetFacts(view: DatasetView | undefined): DatasetFacts | null {
  if (view === undefined) return null
  const { generation, restore, populated }: DatasetDocument = view.document
  return { generation, restore, end: view.counts().end, populated }
}

/** What to remember: of what is not there any more, or does not answer, what it was. */
export function remembered(former: Facts, present: Facts): Facts {
  const kept = (before: Facts['inputs'], now: Facts['inputs']) =>
    Object.fromEntries(Object.entries(now).map(([id, facts]) => [id, facts ?? before[id] ?? null] as const))
  return {
    fingerprint: present.fingerprint,
    inputs: kept(former.inputs, present.inputs),
    hops: kept(former.hops, present.hops),
    sink: present.sink ?? former.sink,
    outside: present.outside ?? former.outside,
  }
}

/** Whether the same is known of both, how long the datasets are and whether they are populated left out. */
export function isSame(one: Facts, other: Facts): boolean {
  return JSON.stringify(lasting(one)) === JSON.stringify(lasting(other))
}

function lasting({ fingerprint, inputs, hops, sink, outside }: Facts) {
  const of = (facts: DatasetFacts | null) => facts && [facts.generation, facts.restore?.uuid ?? null]
  const all = (facts: Facts['inputs']) =>
    Object.keys(facts)
      .sort()
      .map((id) => [id, of(facts[id] ?? null)])
  return [fingerprint, all(inputs), all(hops), sink && [sink.dataset, of(sink)], of(outside)]
}
