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

export interface Planned {
  /** Null: there is nothing to follow. */
  readonly plan: TrackingPlan | null
  readonly findings: readonly Finding[]
}

export function planTracking(tracked: Tracked): Planned {
  const planner = new Planner(tracked)
  return { plan: planner.plan(), findings: planner.findings }
}

const NOT_TRACKED = 'Set "track-dependencies": false if that is meant.'

class Planner {
  readonly findings: Finding[] = []
  readonly #tracked: Tracked
  readonly #places: TrackedPlace[] = []
  /** Specs that something was said of: once is enough. */
  readonly #told = new Set<string>()

  constructor(tracked: Tracked) {
    this.#tracked = tracked
  }

  plan(): TrackingPlan | null {
    const { transforms } = this.#tracked
    for (const [number, transform] of transforms.entries()) {
      // Turning hops round takes time that most transforms need not give.
      if (transform.analysis.tracked.length > 0) this.#addTransform(number, transform.inverse.places)
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

  #addTransform(number: number, places: readonly InversePlace[]): void {
    const first = this.#places.length
    const limited = new Set(
      places.flatMap(({ pointer, steps }) => (steps.some(({ again }) => again?.limit != null) ? [pointer] : [])),
    )
    for (const place of places) {
      const { dataset, tracked, pointer } = place
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
    const { source, transforms, settings, addNamespaces } = this.#tracked
    const { origin } = source
    if (origin === null) {
      this.#warn(
        number,
        place,
        `Changes of what it joins run nothing again: what a source of type '${source.type}' gives cannot be followed back to entities of a dataset.`,
        'Put what comes before into a pipe of its own, and read its dataset.',
      )
      return []
    }
    return origin.datasets.flatMap((dataset): TrackedStep[] => {
      const passage: Passage = {
        before: transforms.slice(0, number),
        settings,
        addsNamespaces: addNamespaces,
        idPrefix: origin.idPrefix?.(dataset) ?? '',
        isPart: origin.isPart === true,
        carries: (property) => origin.carries(property),
      }
      const through: InverseLookup[] = []
      for (const { key, index } of lookups) {
        const passed = indexThrough(index, passage)
        if ('obstacle' in passed)
          this.#warn(number, place, `Changes of what it joins run nothing again: ${passed.obstacle}.`, passed.hint)
        else through.push({ key, index: passed.index })
      }
      return through.length === 0 ? [] : [{ to: null, dataset, lookups: through, again: null }]
    })
  }

  #warn(number: number, { pointer, tracked }: InversePlace, message: string, hint: string): void {
    const at = `${this.#tracked.transformPointers[number]}${pointer}`
    if (!tracked || this.#told.has(at)) return
    this.#told.add(at)
    this.findings.push(warningAt(at, message, `${hint} ${NOT_TRACKED}`))
  }
}

/** Places that a way from a start leads through. */
function reachedFrom(places: readonly TrackedPlace[]): ReadonlySet<number> {
  const reached = new Set(places.flatMap(({ isStart }, place) => (isStart ? [place] : [])))
  for (const place of reached) for (const { to } of places[place]?.steps ?? []) if (to !== null) reached.add(to)
  return reached
}

const distinct = <T>(all: readonly T[]): T[] => [...new Set(all)]
