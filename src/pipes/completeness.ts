/**
 * Up to when everything is in a dataset (hub.md §11, dtl.md §12): what a pipe passes on to the one it writes. What a run
 * claims is what was true of all it reads when it began, so whatever comes meanwhile is left to the next one.
 */

import type { Completeness, Snapshot } from '../log/contract.ts'
import type { Pipe } from './pipe.ts'

/** The value of a dataset as another one knows it, in microseconds; null when either is not there, or nobody has said. */
export function completenessAt(snapshot: Snapshot, via: string, of: string): number | null {
  const document = snapshot.dataset(via)?.document
  if (document === undefined || snapshot.dataset(of) === undefined) return null
  if (via === of) return document.completeness
  return Object.hasOwn(document.upstream, of) ? (document.upstream[of] as number) : null
}

/** Datasets whose values count: those the pipe reads, or those that it includes, without those that it excludes. */
export function contributing({ source, reads, completeness }: Pipe): readonly string[] {
  const { include, exclude } = completeness
  return [...new Set(include ?? [...source.inputs, ...reads])].filter((dataset) => !exclude.includes(dataset))
}

/** What is found of a dataset's completeness, without its name. */
export type Found = Omit<Completeness, 'dataset'>

/**
 * What a run that begins at this moment makes of it. `heldTo`: entities written later are held back, so nothing later can
 * be promised.
 */
export function inherited(pipe: Pipe, snapshot: Snapshot, heldTo: number | null = null): Found {
  const datasets = contributing(pipe)
  const values = datasets.map((dataset) => completenessAt(snapshot, dataset, dataset))
  if (heldTo !== null) values.push(heldTo)
  const upstream = upstreamOf(datasets, snapshot, pipe, heldTo ?? Number.POSITIVE_INFINITY)
  if (values.includes(null)) return { upstream }
  return { value: values.length === 0 ? 'now' : Math.min(...(values as number[])), upstream }
}

/** With what a source outside of the hub says of itself, unless the pipe names those that count. */
export function withOutside({ completeness }: Pipe, found: Found, outside: number | null): Found {
  if (outside === null || found.value === undefined || completeness.include !== null) return found
  return { ...found, value: found.value === 'now' ? outside : Math.min(found.value, outside) }
}

/** Of each dataset, near and far, the smallest value by which any of them knows it. */
function upstreamOf(
  datasets: readonly string[],
  snapshot: Snapshot,
  { sink }: Pipe,
  most: number,
): Record<string, number> {
  const upstream = new Map<string, number>()
  const add = (dataset: string, value: number) => upstream.set(dataset, Math.min(value, upstream.get(dataset) ?? most))
  for (const dataset of datasets) {
    const document = snapshot.dataset(dataset)?.document
    if (document === undefined) continue
    if (document.completeness !== null) add(dataset, document.completeness)
    for (const [far, value] of Object.entries(document.upstream)) add(far, value)
  }
  // Of itself a dataset knows best.
  if (sink.kind === 'dataset') upstream.delete(sink.dataset)
  return Object.fromEntries(upstream)
}

/** What a run that ends stores, if it is anything new. */
export function learned(snapshot: Snapshot, dataset: string, found: Found): readonly Completeness[] {
  const document = snapshot.dataset(dataset)?.document
  const isKnown =
    (found.value === undefined || found.value === document?.completeness) &&
    isSame(found.upstream ?? {}, document?.upstream ?? {})
  return isKnown ? [] : [{ dataset, ...found }]
}

const isSame = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([name, value]) => b[name] === value)
