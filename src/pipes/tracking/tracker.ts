/**
 * Dependency tracking of one run (dtl.md §11, hub.md §10): before the source is read, what depends on changes of other
 * datasets runs again.
 *
 * The ends of all datasets are fixed when the run begins. Of each entity that changed after the tracking offset, the state
 * at the offset and every later version are followed back. The offset moves on with the last page of what its changes
 * touched, in the same commit, so whenever a run ends, what it has not done is still to be done.
 */

import { setImmediate } from 'node:timers/promises'
import type { DatasetView } from '../../log/contract.ts'
import type { Entity } from '../../model/entity.ts'
import { writeJson } from '../../model/json.ts'
import type { OpenSource } from '../contract.ts'
import type { Run } from '../run.ts'
import { BATCH_BYTES } from '../sources/batch-bounds.ts'
import { Bookmarks } from '../sources/bookmarks.ts'
import { writingBytes } from '../weight.ts'
import { type OffsetChanges, trackedUpTo } from './book.ts'
import { trackedTo } from './offsets.ts'
import type { TrackingPlan } from './plan.ts'
import type { Thresholds } from './thresholds.ts'
import { type HotKey, Walker } from './walker.ts'

/** Entities to run again, and what is to be committed with what becomes of them. */
export interface TrackedPage {
  readonly entities: readonly Entity[]
  readonly offsets: OffsetChanges
}

export interface TrackerOptions {
  readonly thresholds: Thresholds
  /** Changes that are followed back before what they found runs: then the offset is saved. */
  readonly span?: number
  /** Sources found after which the same. */
  readonly most?: number
}

/** Versions followed back at a time. */
const SLICE = 500
const SPAN = 20_000
const MOST = 50_000
/** A walk gives its thread back, and sees the present, this often. */
const PAUSE_MS = 20
/** Source entities that are read together at first, before it is known how large they are. */
const ASKED = 64
/** Hot keys that a report names at most. */
const NAMED = 10

export class Tracker {
  readonly #run: Run
  readonly #plan: TrackingPlan
  readonly #source: OpenSource
  readonly #options: TrackerOptions
  readonly #walker: Walker
  /** By dataset the last sequence of the run. */
  readonly #ends = new Map<string, number>()
  readonly #at = new Map<string, number>()
  readonly #passed: ReadonlyMap<string, number>
  #views = new Map<string, DatasetView | undefined>()
  #viewsAt = -1
  #pausedAt = performance.now()
  /** Source entities that are read at a time. */
  #asked = ASKED

  /** `since` is where the source will be read from. */
  constructor(run: Run, plan: TrackingPlan, source: OpenSource, since: string, options: TrackerOptions) {
    const { pipe, snapshot, ports } = run
    this.#run = run
    this.#plan = plan
    this.#source = source
    this.#options = options
    for (const dataset of plan.datasets) {
      const end = (snapshot.dataset(dataset)?.counts().end ?? 0) - 1
      this.#ends.set(dataset, end)
      this.#at.set(dataset, trackedTo(pipe.id, dataset, snapshot) ?? end)
    }
    const { inputs } = pipe.source
    const bookmarks = new Bookmarks(inputs, pipe.id, snapshot, since)
    this.#passed = new Map(inputs.map((input, place) => [input, bookmarks.at[place] ?? -1]))
    this.#walker = new Walker(plan, {
      view: (dataset) => this.#view(dataset),
      indexes: ports.indexes,
      passed: (input) => this.#passed.get(input) ?? -1,
      hot: (key) => this.#reportHot(key),
    })
  }

  /** There is something to be followed back. */
  get isDue(): boolean {
    return this.#plan.datasets.some((dataset) => this.#isBehind(dataset))
  }

  async *pages(signal: AbortSignal): AsyncGenerator<TrackedPage> {
    const { span = SPAN, most = MOST } = this.#options
    const began = new Map(this.#at)
    let looked = 0
    let moved = new Map<string, number>()
    for (const dataset of this.#plan.datasets) {
      while (this.#isBehind(dataset) && !signal.aborted) {
        looked += await this.#follow(dataset, began.get(dataset) as number, signal)
        moved.set(dataset, this.#at.get(dataset) as number)
        if (looked < span && this.#walker.waiting < most) continue
        yield* this.#found(moved, signal)
        moved = new Map()
        looked = 0
      }
    }
    if (moved.size > 0) yield* this.#found(moved, signal)
  }

  #isBehind(dataset: string): boolean {
    return (this.#at.get(dataset) as number) < (this.#ends.get(dataset) as number)
  }

  /** Follows the next changes of a dataset back, with the state that each had when the run began; gives how many. */
  async #follow(dataset: string, began: number, signal: AbortSignal): Promise<number> {
    const { tracking } = this.#run.tally
    const view = this.#view(dataset)
    const to = this.#ends.get(dataset) as number
    let at = this.#at.get(dataset) as number
    let changes = 0
    for (const version of view?.changes(at < 0 ? null : at, { to, limit: SLICE }) ?? []) {
      at = version.sequence
      changes++
      this.#walker.begin(dataset, version)
      // A version after the beginning of the run was a change itself.
      const before =
        version.previous !== null && version.previous <= began ? view?.version(version.previous) : undefined
      if (before !== undefined) this.#walker.begin(dataset, before)
    }
    this.#at.set(dataset, changes < SLICE ? to : at)
    tracking.changes += changes
    for (const _ of this.#walker.walk()) {
      tracking.found = this.#walker.found
      tracking.rows = this.#walker.rows
      this.#options.thresholds.count(tracking.found)
      if (signal.aborted) break
      await this.#pause()
    }
    return changes
  }

  /** What was found runs again, in pages; the last one takes along how far the changes were followed. */
  async *#found(moved: ReadonlyMap<string, number>, signal: AbortSignal): AsyncGenerator<TrackedPage> {
    let held: readonly Entity[] = []
    for (const input of this.#run.pipe.source.inputs) {
      for (;;) {
        if (signal.aborted) return
        const ids = this.#walker.take(input, this.#run.pipe.batchSize)
        if (ids === null) break
        for (const entities of this.#again(input, ids)) {
          if (held.length > 0) yield { entities: held, offsets: [] }
          held = entities
        }
      }
    }
    yield { entities: held, offsets: trackedUpTo(this.#run.pipe.id, moved) }
  }

  /** Large ones in pages of fewer: as many are asked for as would fill one, going by those before. */
  *#again(input: string, ids: readonly string[]): Iterable<readonly Entity[]> {
    const most = this.#run.ports.batchBytes ?? BATCH_BYTES
    let page: Entity[] = []
    let bytes = 0
    for (let at = 0; at < ids.length; ) {
      const some = ids.slice(at, at + this.#asked)
      at += some.length
      const entities = this.#source.reread?.(input, some) ?? []
      this.#run.tally.tracking.again += entities.length
      this.#options.thresholds.weigh(entities)
      const more = entities.reduce((sum, entity) => sum + writingBytes(entity), 0)
      for (const entity of entities) page.push(entity)
      bytes += more
      this.#asked = Math.max(1, Math.min(2 * this.#asked, Math.floor((most * some.length) / (more + 1))))
      if (bytes < most) continue
      yield page
      page = []
      bytes = 0
    }
    if (page.length > 0) yield page
  }

  async #pause(): Promise<void> {
    if (performance.now() - this.#pausedAt < PAUSE_MS) return
    await setImmediate()
    await this.#run.ports.turn?.pass()
    this.#run.position.moveToPresent()
    this.#pausedAt = performance.now()
  }

  #view(dataset: string): DatasetView | undefined {
    const { position, snapshot } = this.#run
    if (this.#viewsAt !== position.moved) {
      this.#viewsAt = position.moved
      this.#views = new Map()
    }
    if (!this.#views.has(dataset)) this.#views.set(dataset, snapshot.dataset(dataset))
    return this.#views.get(dataset)
  }

  #reportHot({ dataset, entity, value, found }: HotKey): void {
    const { pipe, ports, tally } = this.#run
    const named = writeJson(value)
    if (tally.tracking.hot.length < NAMED) tally.tracking.hot.push({ dataset, entity, value: named, found })
    ports.logger.warn(
      `${found} source entities of pipe '${pipe.id}' depend on '${entity}' of dataset '${dataset}' by the value ${named}: they run again in pages.`,
      { pipe: pipe.id, dataset, entity, value: named, found },
    )
  }
}
