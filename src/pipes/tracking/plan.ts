/**
 * The ways back of a pipe: from each dataset that its hops reach to the entities of its source that may depend on them
 * (dtl.md §11.3), through all its transforms, as index lookups.
 */

import { indexThrough, type Passage } from '../../dtl/compile.ts'
import type { DtlSettings, DtlTransform, InverseLookup, InversePlace } from '../../dtl/contract.ts'
import type { NeededIndex, Origin } from '../contract.ts'
import { type Finding, warningAt } from '../finding.ts'

export interface TrackingPlan {
  /** Where an entity of another dataset can be bound, over all transforms. */
  readonly places: readonly TrackedPlace[]
  /** Those whose changes are followed back. */
  readonly datasets: readonly string[]
  /** What the ways back look things up in. */
  readonly indexes: readonly NeededIndex[]
}

export interface TrackedPlace {
  readonly dataset: string
  /** Changes of its dataset begin here. */
  readonly isStart: boolean
  /** Places of one hops spec count the turns of its recursion together. */
  readonly spec: string
  /** The recursion of its spec has a limit, so it matters with how many turns an entity came here. */
  readonly countsTurns: boolean
  readonly steps: readonly TrackedStep[]
}

export interface TrackedStep {
  /** Number of the place; null: a source entity is found, or one that it is made of. */
  readonly to: number | null
  readonly dataset: string
  readonly lookups: readonly InverseLookup[]
  /** Of a recursion: so many times in a row at most, null for no limit. */
  readonly again: { readonly limit: number | null } | null
}

/** What of a pipe the ways back are made of. */
export interface Tracked {
  readonly source: { readonly type: string; readonly origin: Origin | null }
  readonly transforms: readonly DtlTransform[]
  readonly transformPointers: readonly string[]
  readonly settings: DtlSettings
  readonly addNamespaces: boolean
}

/** A hops some of whose changes run nothing again. */
export interface Untracked {
  /** In the configuration of the pipe. */
  readonly pointer: string
  readonly dataset: string
  readonly why: string
}

export interface Planned {
  /** Null: there is nothing to follow. */
  readonly plan: TrackingPlan | null
  readonly untracked: readonly Untracked[]
  readonly findings: readonly Finding[]
}

export function planTracking(tracked: Tracked): Planned {
  const planner = new Planner(tracked)
  return { plan: planner.plan(), untracked: planner.untracked(), findings: planner.findings }
}

const NOT_TRACKED = 'Set "track-dependencies": false if that is meant.'

class Planner {
  readonly findings: Finding[] = []
  readonly #tracked: Tracked
  readonly #places: TrackedPlace[] = []
  /** Specs that something was said of: once is enough. */
  readonly #told = new Set<string>()
  /** By place why a way back from it is missing. */
  readonly #gaps = new Map<number, string>()
  readonly #pointers: string[] = []

  constructor(tracked: Tracked) {
    this.#tracked = tracked
  }

  plan(): TrackingPlan | null {
    const { transforms } = this.#tracked
    for (const [number, transform] of transforms.entries()) {
      // Turning hops round takes time that most transforms need not give.
      if (transform.analysis.indexes.length > 0) this.#addTransform(number, transform.inverse.places)
    }
    const reached = reachedFrom(this.#places)
    const datasets = distinct(
      this.#places.flatMap(({ isStart, steps, dataset }) => (isStart && steps.length > 0 ? [dataset] : [])),
    )
    if (datasets.length === 0) return null
    const indexes = [...reached].flatMap((place) =>
      (this.#places[place] as TrackedPlace).steps.flatMap(({ dataset, lookups }) =>
        lookups.map(({ index }) => ({ dataset, expression: index })),
      ),
    )
    return {
      places: this.#places,
      datasets,
      indexes: [...new Map(indexes.map((one) => [`${one.dataset} ${one.expression}`, one])).values()],
    }
  }

  /** Where a way ends, all ways that lead there do. */
  untracked(): readonly Untracked[] {
    for (let known = -1; known < this.#gaps.size; ) {
      known = this.#gaps.size
      for (const [place, { steps }] of this.#places.entries()) {
        const [why] = steps.flatMap(({ to }) => (to === null ? [] : (this.#gaps.get(to) ?? [])))
        if (why !== undefined && !this.#gaps.has(place)) this.#gaps.set(place, why)
      }
    }
    return this.#places.flatMap(({ dataset, isStart }, place) => {
      const why = isStart ? this.#gaps.get(place) : '"track-dependencies" is false'
      return why === undefined ? [] : [{ pointer: this.#pointers[place] as string, dataset, why }]
    })
  }

  #addTransform(number: number, places: readonly InversePlace[]): void {
    const first = this.#places.length
    const limited = new Set(
      places.flatMap(({ pointer, steps }) => (steps.some(({ again }) => again?.limit != null) ? [pointer] : [])),
    )
    for (const place of places) {
      const { dataset, tracked, pointer, obstacle } = place
      if (obstacle !== null) this.#gap(obstacle)
      this.#pointers.push(`${this.#tracked.transformPointers[number]}${pointer}`)
      const steps = place.steps.flatMap((step): TrackedStep[] =>
        step.to === null || step.dataset === null
          ? this.#stepsToSource(number, place, step.lookups)
          : [{ to: first + step.to, dataset: step.dataset, lookups: step.lookups, again: step.again }],
      )
      this.#places.push({
        dataset,
        isStart: tracked,
        spec: `${number}${pointer}`,
        countsTurns: limited.has(pointer),
        steps,
      })
    }
  }

  /** One to each dataset that the source is made of. */
  #stepsToSource(number: number, place: InversePlace, lookups: readonly InverseLookup[]): TrackedStep[] {
    const { type, origin } = this.#tracked.source
    if (origin === null) {
      const why = `what a source of type '${type}' gives cannot be followed back to entities of a dataset`
      this.#warn(number, place, why, 'Put what comes before into a pipe of its own, and read its dataset.')
      return []
    }
    return origin.datasets.flatMap((dataset): TrackedStep[] => {
      const through: InverseLookup[] = []
      for (const { key, index } of lookups) {
        const passed = indexThrough(index, this.#passage(number, origin, dataset))
        if ('obstacle' in passed) this.#warn(number, place, passed.obstacle, passed.hint)
        else through.push({ key, index: passed.index })
      }
      return through.length === 0 ? [] : [{ to: null, dataset, lookups: through, again: null }]
    })
  }

  #passage(number: number, origin: Origin, dataset: string): Passage {
    const { transforms, settings, addNamespaces } = this.#tracked
    return {
      before: transforms.slice(0, number),
      settings,
      addsNamespaces: addNamespaces,
      idPrefix: origin.idPrefix?.(dataset) ?? '',
      isPart: origin.isPart === true,
      carries: (property) => origin.carries(property),
    }
  }

  /** Of the place that is being added. */
  #gap(why: string): void {
    if (!this.#gaps.has(this.#places.length)) this.#gaps.set(this.#places.length, why)
  }

  #warn(number: number, { pointer, tracked }: InversePlace, why: string, hint: string): void {
    this.#gap(why)
    const at = `${this.#tracked.transformPointers[number]}${pointer}`
    if (!tracked || this.#told.has(at)) return
    this.#told.add(at)
    this.findings.push(warningAt(at, `Changes of what it joins run nothing again: ${why}.`, `${hint} ${NOT_TRACKED}`))
  }
}

/** Places that a way from a start leads through. */
function reachedFrom(places: readonly TrackedPlace[]): ReadonlySet<number> {
  const reached = new Set(places.flatMap(({ isStart }, place) => (isStart ? [place] : [])))
  for (const place of reached) for (const { to } of places[place]?.steps ?? []) if (to !== null) reached.add(to)
  return reached
}

const distinct = <T>(all: readonly T[]): T[] => [...new Set(all)]
