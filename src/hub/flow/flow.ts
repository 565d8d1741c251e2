/** The flow map as data: what feeds what, how each pipe stands, what waits, and how long changes take. */

import type { Snapshot } from '../../log/contract.ts'
import { outOfSync } from '../../pipes/reprocessing/reprocess.ts'
import type { DeployedPipe, Deployment } from '../deployment.ts'
import { consumedBy } from './consumed.ts'
import type { LagMeter } from './lag.ts'
import { categoryOf, type FlowEdge, networkOf, type PipeCategory } from './network.ts'

export interface FlowMap {
  readonly pipes: readonly FlowPipe[]
  readonly datasets: readonly FlowDataset[]
  readonly systems: readonly { readonly id: string }[]
  readonly edges: readonly FlowEdge[]
  readonly cycles: readonly (readonly string[])[]
}

export interface FlowPipe {
  readonly id: string
  readonly valid: boolean
  /** Null for one with errors, as with what follows. */
  readonly category: PipeCategory | null
  /** It stands after all pipes of lower levels that it reads from. */
  readonly level: number | null
  readonly exact: boolean | null
  /** Why its dataset may differ from what the pipe would make now. */
  readonly out_of_sync: readonly string[]
  /** By dataset the changes that it has not taken in; null where that is not known. */
  readonly queue: {
    readonly source: Readonly<Record<string, number>>
    readonly hops: Readonly<Record<string, number>>
  } | null
  /** For how long the oldest of them has waited. */
  readonly waiting_seconds: number | null
}

export interface FlowDataset {
  readonly id: string
  readonly writer: string | null
  /** Null without data. */
  readonly entities: number | null
  readonly populated: boolean | null
  /** No pipe reads it. */
  readonly is_end: boolean
  /** Seconds from a change where the hub first stores it to its effect here, when it was measured last. */
  readonly lag_seconds: number | null
}

/** `snapshot` null: of a configuration without data. `now` in milliseconds since 1970. */
export function flowOf(deployment: Deployment, snapshot: Snapshot | null, lags: LagMeter | null, now: number): FlowMap {
  const network = networkOf(deployment)
  const { writers } = network
  const known = network.edges.flatMap(({ from, to }) => [from, to]).filter((name) => name.startsWith('dataset:'))
  const datasets = [...new Set([...known.map((name) => name.slice('dataset:'.length)), ...writers.keys()])].sort()
  return {
    pipes: [...deployment.pipes].map(([id, deployed]) =>
      pipeOf(id, deployed, network.levels.get(id) ?? null, snapshot, lags, now),
    ),
    datasets: datasets.map((id): FlowDataset => {
      const view = snapshot?.dataset(id)
      return {
        id,
        writer: writers.get(id) ?? null,
        entities: view?.counts().existing ?? null,
        populated: view?.document.populated ?? null,
        is_end: network.ends.includes(id),
        lag_seconds: lags?.last(id) ?? null,
      }
    }),
    systems: [...deployment.systems.keys()].map((id) => ({ id })),
    edges: network.edges,
    cycles: network.cycles,
  }
}

function pipeOf(
  id: string,
  { pipe, inexact }: DeployedPipe,
  level: number | null,
  snapshot: Snapshot | null,
  lags: LagMeter | null,
  now: number,
): FlowPipe {
  if (pipe === null) {
    return { id, valid: false, category: null, level, exact: null, out_of_sync: [], queue: null, waiting_seconds: null }
  }
  const since = snapshot === null ? null : (lags?.waitingSince(pipe, snapshot) ?? null)
  return {
    id,
    valid: true,
    category: categoryOf(pipe),
    level,
    exact: inexact.length === 0,
    out_of_sync: snapshot === null ? [] : outOfSync(pipe, snapshot).map(({ message }) => message),
    queue:
      snapshot === null || pipe.source.inputs.length + (pipe.tracking?.datasets.length ?? 0) === 0
        ? null
        : queueOf(pipe, snapshot),
    waiting_seconds: since === null ? null : Math.max(0, now - since) / 1000,
  }
}

function queueOf(pipe: NonNullable<DeployedPipe['pipe']>, snapshot: Snapshot): NonNullable<FlowPipe['queue']> {
  const consumed = consumedBy(pipe, snapshot)
  const of = (kind: 'source' | 'hop') =>
    Object.fromEntries(
      consumed.filter(({ as }) => as === kind).map(({ dataset, at, last }) => [dataset, Math.max(0, last - at)]),
    )
  return { source: of('source'), hops: of('hop') }
}
