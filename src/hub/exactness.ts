/** Which pipes are exact, seen together with those they read from (design: the law), and how each stands at the moment. */

import type { Snapshot } from '../log/contract.ts'
import { inexactnessOf } from '../pipes/exactness/exactness.ts'
import { type Inexact, reason } from '../pipes/exactness/reason.ts'
import type { Pipe } from '../pipes/pipe.ts'

export class NetworkExactness {
  /** By the dataset that it writes. */
  readonly #writers: ReadonlyMap<string, Pipe>

  constructor(pipes: readonly Pipe[]) {
    this.#writers = new Map(
      pipes.flatMap((pipe) => (pipe.sink.kind === 'dataset' ? [[pipe.sink.dataset, pipe] as const] : [])),
    )
  }

  of(pipe: Pipe): readonly Inexact[] {
    return [...inexactnessOf(pipe), ...this.#ofCycle(pipe), ...this.#ofUnpopulated(pipe)]
  }

  /** Pipes that feed one another hand round what no source says any more. */
  #ofCycle(pipe: Pipe): readonly Inexact[] {
    const { sink } = pipe
    if (sink.kind !== 'dataset' || readsOf(pipe).includes(sink.dataset)) return []
    const way = this.#wayTo(sink.dataset, pipe)
    if (way === null) return []
    const pipes = way.map((id) => `'${id}'`).join(', ')
    return [reason('cycle', '/source', `What it makes comes back to it, through ${pipes}.`)]
  }

  /** The pipes between a pipe and a dataset that it reads by way of them. */
  #wayTo(dataset: string, from: Pipe): readonly string[] | null {
    const open: { readonly pipe: Pipe; readonly way: readonly string[] }[] = [{ pipe: from, way: [] }]
    const seen = new Set<Pipe>([from])
    for (const { pipe, way } of open) {
      if (way.length > 0 && readsOf(pipe).includes(dataset)) return way
      for (const read of readsOf(pipe)) {
        const writer = this.#writers.get(read)
        if (writer === undefined || seen.has(writer)) continue
        seen.add(writer)
        open.push({ pipe: writer, way: [...way, writer.id] })
      }
    }
    return null
  }

  /** It waits for ever for what nobody populates. */
  #ofUnpopulated(pipe: Pipe): readonly Inexact[] {
    return pipe.reads
      .filter((dataset) => {
        const sink = this.#writers.get(dataset)?.sink
        return sink === undefined || (sink.kind === 'dataset' && sink.populatedWhen === 'never')
      })
      .map((dataset) => reason('unpopulated', '/transform', `No pipe populates '${dataset}', which it hops to.`))
  }
}

const readsOf = ({ source, reads }: Pipe): readonly string[] => [...source.inputs, ...reads]

/** What is not there yet: until it is, the pipe has not made all that it will make. */
export function unpopulatedNow(pipe: Pipe, snapshot: Snapshot): readonly Inexact[] {
  return [...new Set(readsOf(pipe))]
    .filter((dataset) => snapshot.dataset(dataset)?.document.populated !== true)
    .map((dataset) => reason('unpopulated', '/source', `The dataset '${dataset}' is not populated yet.`))
}
