/** What feeds what: systems, pipes and datasets, and the arrows between them. */

import { get } from '../../model/dict.ts'
import { isDict } from '../../model/value.ts'
import { isPublisher, isReceiver, type Pipe } from '../../pipes/pipe.ts'
import type { Deployment } from '../deployment.ts'
import { levelsOf } from '../levels.ts'

export type NodeKind = 'system' | 'pipe' | 'dataset'

/** Names a node: `pipe:orders`. */
export type NodeName = `${NodeKind}:${string}`

export interface FlowEdge {
  readonly from: NodeName
  readonly to: NodeName
  /** `merge`: one of several datasets that a source makes one of; `lookup`: read, and changes of it run nothing again. */
  readonly as: 'source' | 'merge' | 'hop' | 'lookup' | 'sink'
}

export type PipeCategory = 'inbound' | 'internal' | 'outbound' | 'receiver' | 'publisher'

export interface Network {
  readonly edges: readonly FlowEdge[]
  /** Pipes that feed one another, in order; each circle once. */
  readonly cycles: readonly (readonly string[])[]
  /** By pipe: those of one level need not wait for one another. */
  readonly levels: ReadonlyMap<string, number>
  /** By dataset the pipe that writes it. */
  readonly writers: ReadonlyMap<string, string>
  /** Datasets that pipes write and none reads. */
  readonly ends: readonly string[]
}

export function networkOf({ pipes }: Deployment): Network {
  const built = [...pipes.values()].flatMap(({ pipe }) => pipe ?? [])
  const edges = [...pipes.values()].flatMap(({ pipe, effective }) =>
    pipe === null
      ? []
      : [
          ...systemEdge(get(effective, 'source'), (system) => ({ from: system, to: `pipe:${pipe.id}`, as: 'source' })),
          ...edgesOf(pipe),
          ...systemEdge(get(effective, 'sink'), (system) => ({ from: `pipe:${pipe.id}`, to: system, as: 'sink' })),
        ],
  )
  const read = new Set(built.flatMap(({ source, reads }) => [...source.inputs, ...reads]))
  return {
    edges,
    cycles: cyclesOf(built),
    levels: new Map(levelsOf(built).flatMap((level, place) => level.map(({ id }) => [id, place] as const))),
    writers: new Map(built.flatMap(({ id, sink }) => (sink.kind === 'dataset' ? [[sink.dataset, id] as const] : []))),
    ends: built.flatMap(({ sink }) => (sink.kind === 'dataset' && !read.has(sink.dataset) ? [sink.dataset] : [])),
  }
}

export function categoryOf(pipe: Pipe): PipeCategory {
  if (isReceiver(pipe)) return 'receiver'
  if (isPublisher(pipe)) return 'publisher'
  if (pipe.source.inputs.length === 0) return 'inbound'
  return pipe.sink.kind === 'dataset' ? 'internal' : 'outbound'
}

function systemEdge(part: unknown, edge: (system: NodeName) => FlowEdge): FlowEdge[] {
  const system = isDict(part as never) ? get(part as never, 'system') : undefined
  return typeof system === 'string' ? [edge(`system:${system}`)] : []
}

function edgesOf({ id, source, reads, sink, tracking }: Pipe): FlowEdge[] {
  const to: NodeName = `pipe:${id}`
  const as = source.inputs.length > 1 ? 'merge' : 'source'
  return [
    ...source.inputs.map((dataset): FlowEdge => ({ from: `dataset:${dataset}`, to, as })),
    ...reads.map((dataset): FlowEdge => {
      return { from: `dataset:${dataset}`, to, as: tracking?.datasets.includes(dataset) ? 'hop' : 'lookup' }
    }),
    ...(sink.kind === 'dataset' ? [{ from: to, to: `dataset:${sink.dataset}`, as: 'sink' } as const] : []),
  ]
}

/** Depth first; a circle is told from its pipe whose id comes first. */
function cyclesOf(pipes: readonly Pipe[]): readonly (readonly string[])[] {
  const writers = new Map(
    pipes.flatMap((pipe) => (pipe.sink.kind === 'dataset' ? [[pipe.sink.dataset, pipe] as const] : [])),
  )
  const found = new Map<string, readonly string[]>()
  const done = new Set<Pipe>()
  const way: Pipe[] = []
  const visit = (pipe: Pipe): void => {
    const at = way.indexOf(pipe)
    if (at >= 0) {
      // The way goes upstream, and a circle is read downstream.
      const circle = way
        .slice(at)
        .reverse()
        .map(({ id }) => id)
      const first = circle.indexOf(circle.toSorted()[0] as string)
      const told = [...circle.slice(first), ...circle.slice(0, first)]
      found.set(told.join('\n'), told)
    }
    if (at >= 0 || done.has(pipe)) return
    way.push(pipe)
    for (const dataset of [...pipe.source.inputs, ...pipe.reads]) {
      const writer = writers.get(dataset)
      if (writer !== undefined) visit(writer)
    }
    way.pop()
    done.add(pipe)
  }
  for (const pipe of pipes) visit(pipe)
  return [...found.values()]
}
