/** The fold of the log into the store: follows each projected dataset with an offset of its own, a batch at a time. */

import type { DatasetView, Snapshot, Version } from '../log/contract.ts'
import { createNaming, type Naming } from '../model/iri.ts'
import type { GraphSettings, ProjectedDataset } from './contract.ts'
import { EntityTexts } from './entity-text.ts'
import { type GraphChange, GraphStore } from './store.ts'

/**
 * A batch ends at whichever comes first. Queries wait for a batch, so those that follow are small; and of larger loads
 * the text outlives the young generation, which costs more than the fewer calls save.
 */
const LOAD_QUADS = 20_000
const LOAD_ENTITIES = 5_000
const FOLLOW_ENTITIES = 500

/** One dataset and how far the graph is with it. */
interface Following {
  readonly settings: ProjectedDataset
  readonly texts: EntityTexts
  /** Another one means that the dataset was made anew. Null: nothing of it is in the graph. */
  generation: string | null
  /** In the feed. */
  number: number
  /** Sequence of the newest version that the graph has taken in; -1: none. */
  offset: number
  /** Versions before this end are the first of their entity that the graph sees. */
  loadEnd: number
  isLeftOut: boolean
}

/** Graphs that have to go before their dataset may come again. */
interface Retraction {
  readonly dataset: string
  readonly graphs: string[]
  readonly isGlobal: boolean
}

export interface DatasetProgress {
  readonly id: string
  readonly number: number
  readonly offset: number
  readonly isLeftOut: boolean
}

export class Projection {
  readonly #naming: Naming
  readonly #store: GraphStore
  readonly #followed = new Map<string, Following>()
  #retractions: Retraction[] = []
  #globalPrefixes: ReadonlySet<string> = new Set()
  #budget: number

  /** `settings` fixes how things are named; the datasets and the budget may change later. */
  constructor(settings: GraphSettings) {
    const { base, namespaces, properties } = settings
    this.#naming = createNaming({ base, namespaces, properties })
    this.#budget = settings.budget
    this.#store = new GraphStore((graph) => this.#globalPrefixes.has(graph.slice(0, graph.lastIndexOf('/') + 1)))
    this.configure(settings)
  }

  get graph(): GraphStore {
    return this.#store
  }

  get naming(): Naming {
    return this.#naming
  }

  progress(): readonly DatasetProgress[] {
    return [...this.#followed.values()].map(({ settings, number, offset, isLeftOut }) => ({
      id: settings.id,
      number,
      offset,
      isLeftOut,
    }))
  }

  /** What to project from now on: a dataset that is new or said differently is taken in again, one that is missing goes. */
  configure({ datasets, budget }: GraphSettings): void {
    this.#budget = budget
    const former = new Map(this.#followed)
    this.#followed.clear()
    for (const settings of datasets) {
      const known = former.get(settings.id)
      if (known !== undefined && isSame(known.settings, settings)) {
        former.delete(settings.id)
        this.#followed.set(settings.id, known)
      } else this.#followed.set(settings.id, this.#beginning(settings))
    }
    this.#globalPrefixes = new Set(
      datasets.filter(({ global }) => global).map(({ id }) => this.#naming.graphIri(id, '')),
    )
    for (const following of former.values()) this.#retract(following)
  }

  /** Takes in the next batch, in the order of importance; false when the graph is where the snapshot is. */
  step(snapshot: Snapshot): boolean {
    if (this.#retractSome()) return true
    for (const following of this.#followed.values()) {
      if (following.isLeftOut) continue
      const view = snapshot.dataset(following.settings.id)
      if (following.generation !== null && following.generation !== view?.document.generation) {
        this.#startAnew(following)
        return true
      }
      if (view !== undefined && this.#follow(following, view)) return true
    }
    return false
  }

  /** Whether the graph has all versions before these ends; datasets it does not hold aside. */
  hasReached(ends: ReadonlyMap<string, number>): boolean {
    if (this.#retractions.length > 0) return false
    for (const [id, end] of ends) {
      const following = this.#followed.get(id)
      if (following !== undefined && !following.isLeftOut && following.offset + 1 < end) return false
    }
    return true
  }

  /** Where each projected dataset ends now. */
  ends(snapshot: Snapshot): Map<string, number> {
    const ends = new Map<string, number>()
    for (const id of this.#followed.keys()) {
      const view = snapshot.dataset(id)
      if (view !== undefined) ends.set(id, view.counts().end)
    }
    return ends
  }

  #follow(following: Following, view: DatasetView): boolean {
    const { end, existing } = view.counts()
    if (following.generation === null) {
      following.generation = view.document.generation
      following.number = view.document.number
      following.loadEnd = end
    }
    if (following.offset + 1 >= end) return false
    const batch = this.#nextBatch(following, view)
    const last = batch.isEnd ? end - 1 : batch.last
    const isFirst = following.offset < 0
    const estimate = isFirst && !batch.isEnd ? (batch.quads / batch.entities) * existing : batch.quads
    if (!this.#makeRoom(following, estimate)) return true
    this.#store.apply(batch.changes)
    following.offset = last
    return true
  }

  #nextBatch(following: Following, view: DatasetView) {
    const { texts, settings, loadEnd } = following
    const isLoading = following.offset + 1 < loadEnd
    const limit = isLoading ? LOAD_ENTITIES : FOLLOW_ENTITIES
    const changes: GraphChange[] = []
    let entities = 0
    let quads = 0
    let last = following.offset
    for (const version of view.changes(following.offset < 0 ? null : following.offset, { history: false })) {
      const isNew = version.sequence < loadEnd || version.previous === null
      const change = changeOf(version, texts, settings.global, isNew)
      if (change !== null) {
        changes.push(change)
        quads += (change.text?.about.length ?? 0) + (change.text?.statements.length ?? 0) * (settings.global ? 2 : 1)
      }
      last = version.sequence
      entities++
      if (entities === limit || quads >= LOAD_QUADS) return { changes, entities, quads, last, isEnd: false }
    }
    return { changes, entities: Math.max(entities, 1), quads, last, isEnd: true }
  }

  /**
   * The budget is never crossed: what does not fit is left out, the dataset that matters least first. True when there is
   * room; false when something had to go, or goes now.
   */
  #makeRoom(following: Following, coming: number): boolean {
    if (this.#store.quads + coming <= this.#budget) return true
    if (!this.#store.isExact) {
      this.#store.count()
      if (this.#store.quads + coming <= this.#budget) return true
    }
    const held = [...this.#followed.values()].filter((other) => other.offset >= 0 || other === following)
    const victim = held.at(-1) as Following
    this.#retract(victim)
    this.#followed.set(victim.settings.id, { ...this.#beginning(victim.settings), isLeftOut: true })
    return false
  }

  #startAnew(following: Following): void {
    this.#retract(following)
    this.#followed.set(following.settings.id, this.#beginning(following.settings))
  }

  #beginning(settings: ProjectedDataset): Following {
    return {
      settings,
      texts: new EntityTexts(this.#naming, settings),
      generation: null,
      number: -1,
      offset: -1,
      loadEnd: 0,
      isLeftOut: false,
    }
  }

  #retract({ settings, offset }: Following): void {
    if (offset < 0) return
    const graphs = this.#store.graphsOf(this.#naming.datasetIri(settings.id))
    if (graphs.length > 0) this.#retractions.push({ dataset: settings.id, graphs, isGlobal: settings.global })
  }

  #retractSome(): boolean {
    const [retraction] = this.#retractions
    if (retraction === undefined) return false
    const { graphs, isGlobal } = retraction
    const going = graphs.splice(0, FOLLOW_ENTITIES)
    this.#store.apply(going.map((graph) => ({ graph, isGlobal, text: null, isNew: false })))
    if (graphs.length === 0) this.#retractions = this.#retractions.slice(1)
    return true
  }
}

function changeOf(version: Version, texts: EntityTexts, isGlobal: boolean, isNew: boolean): GraphChange | null {
  if (version.deleted && isNew) return null
  const graph = texts.graphIri(version.id)
  return { graph, isGlobal, text: version.deleted ? null : texts.of(version), isNew }
}

const isSame = (a: ProjectedDataset, b: ProjectedDataset): boolean =>
  a.global === b.global && a.pipe === b.pipe && a.derivedFrom.join('\n') === b.derivedFrom.join('\n')
