/** One run of a merge: link what changed, search what came apart, compose what was touched, each in pages that are committed with the state. */

import { randomUUID } from 'node:crypto'
import type { DatasetView } from '../../log/contract.ts'
import { entityOf } from '../../log/stored.ts'
import { KnownKeys } from '../../merge/absent.ts'
import type { Composition } from '../../merge/compose.ts'
import type { RowChange } from '../../merge/contract.ts'
import { harvestSome } from '../../merge/harvest.ts'
import { type Layout, layoutOf } from '../../merge/identity.ts'
import { inputOf, nodeKey } from '../../merge/keys.ts'
import { leaveSome } from '../../merge/leave.ts'
import { Linker } from '../../merge/linker.ts'
import { markSome } from '../../merge/mark.ts'
import type { CommonValue } from '../../merge/report.ts'
import { rereadSome } from '../../merge/reread.ts'
import { type Settlement, settleSome } from '../../merge/settle.ts'
import { splitSome } from '../../merge/split.ts'
import { claimSome } from '../../merge/stable.ts'
import { ClassState } from '../../merge/state.ts'
import type { Entity } from '../../model/entity.ts'
import { NI } from '../../model/value.ts'
import type { Batch, Offset, Surroundings } from '../contract.ts'
import { languageOf } from '../language.ts'
import type { StateChange } from '../state.ts'
import { BATCH_BYTES } from './batch-bounds.ts'
import { Bookmarks } from './bookmarks.ts'
import { madeWith, type OpenedState, openState } from './merge-lane.ts'
import { LinkReader } from './merge-links.ts'
import { formerState, layoutOfMemo, type Memo, type Reading } from './merge-memo.ts'
import type { MergePlan } from './merge-plan.ts'
import { MergeStore } from './merge-store.ts'

/** Entities linked or marked, members searched and former rows cleared in one page. */
const LINKED = 2_000
const SEARCHED = 50_000
const CLEARED = 10_000

export async function* runMerge(
  plan: MergePlan,
  surroundings: Surroundings,
  since: Offset | null,
  signal: AbortSignal,
): AsyncIterable<Batch> {
  const token = randomUUID()
  const run = new MergeRun(openState(plan, surroundings, since, token), since)
  for (const phase of run.phases()) {
    for (const batch of phase) {
      if (signal.aborted) return
      yield batch
      run.forgetCommitted()
    }
  }
}

/** What the merge made of members of a dataset, as of now; what waits to be read is left to the run that follows. */
export function rereadMerge(
  asked: MergePlan,
  around: Surroundings,
  dataset: string,
  ids: readonly string[],
): readonly Entity[] {
  const store = new MergeStore(around.snapshot, around.pipe, '')
  const memo = store.memo()
  const made = around.lane === undefined ? undefined : madeWith(memo, asked, around)
  const { plan, surroundings } = made ?? { plan: asked, surroundings: around }
  const input = memo?.setup.inputs.find(({ name, isVisible }) => name === dataset && isVisible)
  // With other ids or other places all is emitted again anyway.
  if (memo === undefined || input === undefined || memo.marking !== null) return []
  const layout = layoutOfMemo(memo)
  const readers = new Map(
    memo.setup.inputs.map(
      ({ name, number }) => [number, surroundings.snapshot().dataset(name)?.latestReader() ?? NOBODY] as const,
    ),
  )
  const settlement = {
    layout,
    maxMerged: plan.maxMerged,
    root: memo.root,
    composition: compositionOf(plan, surroundings),
    entityOf: (number: number, id: string) => entityIn(readers.get(number) ?? NOBODY, id, holdsInternal(plan)),
  }
  const nodes = ids.map((id) => nodeKey(input.number, id))
  return rereadSome(new ClassState(store.rows(memo.epoch)), settlement, nodes)
}

class MergeRun {
  readonly #plan: MergePlan
  readonly #surroundings: Surroundings
  readonly #store: MergeStore
  readonly #memo: Memo
  readonly #layout: Layout
  readonly #state: ClassState
  /** Of a state that begins with this run: what it has. */
  readonly #known: KnownKeys | null
  readonly #linker: Linker
  readonly #links: LinkReader
  readonly #maxShared: number
  /** Where each input ended when the run began, so that the run ends however fast they grow. */
  readonly #ends: readonly number[]
  readonly #views = new Map<number, DatasetView | undefined>()
  /** By number of the input, for as long as the views are valid. */
  readonly #readers = new Map<number, LatestReader>()
  /** Which datasets the places of the offset belong to, for others who read it. */
  readonly #notes: readonly StateChange[]
  #page = 0
  /** Of the versions that were read for the page that is being made. */
  #pageBytes = 0
  #hasWorked: boolean

  constructor({ plan, surroundings, store, memo, isNew }: OpenedState, since: Offset | null) {
    this.#plan = plan
    this.#surroundings = surroundings
    this.#maxShared = plan.config.max_shared ?? 0
    this.#store = store
    this.#ends = plan.inputs.map((_, at) => this.#view(at)?.counts().end ?? 0)
    this.#notes = surroundings.lane?.kind === 'beside' ? [] : notesOf(plan, surroundings, since)
    this.#memo = memo
    this.#hasWorked = isNew
    this.#layout = layoutOfMemo(this.#memo)
    const rows = this.#store.rows(this.#memo.epoch)
    this.#known = this.#hasWorked ? new KnownKeys() : null
    this.#state = new ClassState(this.#known?.over(rows) ?? rows)
    const { rules } = this.#memo.setup
    this.#links = new LinkReader(rules.slots, languageOf(surroundings), plan.written)
    this.#linker = new Linker(this.#state, rules, this.#layout, { maxShared: this.#maxShared })
  }

  /** One after the other; each leaves the next what it needs, also when the run is cut short. */
  phases(): Iterable<Batch>[] {
    return [this.#clear(), this.#leave(), this.#mark(), this.#link(), this.#search(), this.#compose(), this.#finish()]
  }

  /** What is in the store by now need not be kept in memory; and what was read from there may be old. */
  forgetCommitted(): void {
    this.#state.committed(this.#store.committedPage())
    this.#views.clear()
    this.#readers.clear()
  }

  /** Takes over from former beginnings of the state the ids they emitted, and clears them. */
  *#clear(): Iterable<Batch> {
    for (const former of [...this.#memo.former]) {
      let after: string | null = null
      while (true) {
        const rows = this.#store.rows(former.epoch)
        const deletes: RowChange[] = harvestSome(rows, formerState(former), this.#state, after, CLEARED)
        const last = deletes.at(-1)
        if (last === undefined) break
        after = last[0]
        yield this.#batch([], null, [[former.epoch, deletes]])
      }
      this.#memo.former = this.#memo.former.filter(({ epoch }) => epoch !== former.epoch)
    }
  }

  /** Entities of datasets that are no longer merged. */
  *#leave(): Iterable<Batch> {
    for (const leaving of [...this.#memo.leaving]) {
      while (leaveSome(this.#state, this.#linker, this.#layout, leaving, LINKED)) yield this.#batch([], null)
      this.#memo.leaving = this.#memo.leaving.filter((one) => one !== leaving)
    }
  }

  /** Everything is to be emitted again. */
  *#mark(): Iterable<Batch> {
    for (let { marking } = this.#memo; marking !== null; marking = this.#memo.marking) {
      const former = marking.former === null ? null : layoutOf(this.#layout.identity, marking.former)
      const after = markSome(this.#state, this.#store.rows(this.#memo.epoch), marking.after, {
        former,
        limit: CLEARED,
      })
      this.#memo.marking = after === null ? null : { ...marking, after }
      yield this.#batch([], null)
    }
  }

  *#link(): Iterable<Batch> {
    for (const [place, end] of this.#ends.entries()) {
      const input = this.#memo.inputs[place] as Reading
      while ((input.linked ?? -1) < end - 1) {
        const view = this.#view(place)
        if (view === undefined) break
        this.#linkPage(place, view, input, end)
        yield this.#batch([], null)
      }
    }
  }

  #linkPage(place: number, view: DatasetView, input: Reading, end: number): void {
    const number = this.#numberOf(place)
    let linked = 0
    for (const version of view.changes(input.linked, { history: false, to: end - 1 })) {
      input.linked = version.sequence
      const node = nodeKey(number, version.id)
      const isAnew = input.known !== null && version.sequence <= input.known
      if (!version.deleted) {
        const links = this.#links.linksOfVersion(number, version)
        this.#linker.upsert(node, version.id, links, { isAnew })
      } else if (!isAnew) {
        this.#linker.remove(node, version.id)
      }
      this.#pageBytes += version.body.length
      if (++linked === LINKED || this.#isPageFull()) return
    }
    // What follows the last one read is superseded.
    input.linked = end - 1
    input.known = null
  }

  *#search(): Iterable<Batch> {
    const { maxMerged } = this.#plan
    const { rules } = this.#memo.setup
    const options = { rules, layout: this.#layout, maxMerged, maxShared: this.#maxShared }
    while (splitSome(this.#state, options, SEARCHED) > 0) yield this.#batch([], null)
    while (claimSome(this.#state, this.#layout, CLEARED) > 0) yield this.#batch([], null)
  }

  *#compose(): Iterable<Batch> {
    const settlement = this.#settlement()
    while (true) {
      const entities = settleSome(this.#state, settlement, this.#surroundings.batchSize)
      if (entities === null) return
      yield this.#batch(entities, null)
    }
  }

  /** The last batch carries the offset: what came before is repeated if it is not reached. */
  *#finish(): Iterable<Batch> {
    const offset = this.#memo.inputs.map(({ linked }) => linked ?? '').join(',')
    if (!this.#hasWorked && this.#memo.offset === offset) return
    this.#memo.offset = offset
    const last = this.#batch([], offset === '' ? null : offset)
    yield { ...last, state: [...(last.state ?? []), ...this.#notes] }
  }

  #batch(
    entities: readonly Entity[],
    offset: Offset | null,
    more: readonly (readonly [string, readonly RowChange[]])[] = [],
  ): Batch {
    this.#hasWorked = true
    this.#pageBytes = 0
    const { page, changes } = this.#state.drain()
    this.#known?.add(changes)
    this.#page = page
    return { entities, offset, state: this.#store.page(this.#page, this.#memo, [[this.#memo.epoch, changes], ...more]) }
  }

  #numberOf(place: number): number {
    return (this.#memo.setup.inputs[place] as { readonly number: number }).number
  }

  #view(place: number): DatasetView | undefined {
    if (!this.#views.has(place)) {
      this.#views.set(place, this.#surroundings.snapshot().dataset(this.#plan.inputs[place] as string))
    }
    return this.#views.get(place)
  }

  #settlement(): Settlement {
    const internal = holdsInternal(this.#plan)
    return {
      layout: this.#layout,
      maxMerged: this.#plan.maxMerged,
      root: this.#memo.root,
      composition: compositionOf(this.#plan, this.#surroundings),
      entityOf: (input, id) => this.#latest(input, id, internal),
      isFull: () => this.#isPageFull(),
      leftApart: (members, values) => this.#reportApart(members, values),
    }
  }

  #latest(input: number, id: string, internal: boolean): Entity | undefined {
    let reader = this.#readers.get(input)
    if (reader === undefined) {
      const place = this.#memo.setup.inputs.findIndex(({ number }) => number === input)
      reader = this.#view(place)?.latestReader() ?? NOBODY
      this.#readers.set(input, reader)
    }
    const version = reader(id)
    this.#pageBytes += version?.body.length ?? 0
    return version === undefined ? undefined : entityOf(version, { internal })
  }

  #isPageFull(): boolean {
    return this.#pageBytes >= (this.#surroundings.batchBytes ?? BATCH_BYTES)
  }

  #reportApart(members: number, values: readonly CommonValue[]): void {
    const named = values.map((value) => {
      const { node } = value
      return this.#links.describe(value, this.#latest(inputOf(node), this.#state.idOf(node), false))
    })
    const { pipe, log } = this.#surroundings
    const { maxMerged } = this.#plan
    const most = named.map(({ rule, value, members }) => `${rule} = ${value} (${members})`).join(', ')
    log.warn(
      `Pipe '${pipe}' would merge ${members} entities into one, more than max_merged, ${maxMerged}: ` +
        `they are left apart. Most are bound by ${most}.`,
      { pipe, members, maxMerged, values: named },
    )
  }
}

const notesOf = ({ inputs }: MergePlan, { pipe, snapshot }: Surroundings, since: Offset | null) =>
  new Bookmarks(inputs, pipe, snapshot(), since).notes().state ?? []

const holdsInternal = ({ config }: MergePlan): boolean =>
  config.strategy === 'list' && config.include_internal_properties

type LatestReader = ReturnType<DatasetView['latestReader']>

const NOBODY: LatestReader = () => undefined

function entityIn(reader: LatestReader, id: string, internal: boolean): Entity | undefined {
  const version = reader(id)
  return version === undefined ? undefined : entityOf(version, { internal })
}

const compositionOf = (
  { config }: MergePlan,
  { namespacedIdentifiers, identityNamespace }: Surroundings,
): Composition => ({
  strategy: config.strategy,
  includeInternal: config.include_internal_properties,
  identityOf: (id) => new NI(namespacedIdentifiers && !id.includes(':') ? `${identityNamespace}:${id}` : id),
})
