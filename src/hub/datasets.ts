/** Reading datasets for the doors: stored bytes spliced into JSON, nothing parsed that need not be. */

import type {
  DatasetDocument,
  DatasetView,
  IndexDocument,
  Snapshot,
  UncommittedView,
  Version,
} from '../log/contract.ts'
import { JsonChunks } from '../log/json-chunks.ts'
import { entityOf, storedJson } from '../log/stored.ts'
import { indexKey } from '../model/canonical.ts'
import type { Entity } from '../model/entity.ts'
import { TransitWriter } from '../model/transit-writer.ts'
import type { Value } from '../model/value.ts'
import type { Tenant, TextForm } from './contract.ts'
import { HubError } from './errors.ts'
import { type FoundSubset, foundSubset, isFedSince, sinceTooOld, subsetFeed } from './subsets.ts'
import { TransitChunks } from './transit-chunks.ts'
import { WholeReads } from './whole-reads.ts'

/** What is read from. */
export type Readable = Pick<Tenant, 'snapshot'>

export interface DatasetQuery {
  /** Only versions with a greater `_updated`; with `reverse` a smaller one. */
  readonly since?: number
  readonly limit?: number
  /** All versions; otherwise the latest of each id. */
  readonly history: boolean
  /** Deleted entities too; without effect while `history`. */
  readonly deleted: boolean
  readonly reverse: boolean
  /** JSON of `["eq", expression, literal]`: only what is in it, and what left it, as deleted. */
  readonly subset?: string
  /** What a circuit breaker holds back, too. */
  readonly uncommitted?: boolean
  /** JSON unless said. */
  readonly form?: TextForm
}

/** Text gathered before it is handed on: each chunk costs its way to the reader. */
const CHUNK = 256 * 1024
/** Versions read from one snapshot before it is renewed, so that a slow reader holds nothing back for long. */
const PAGE = 1_000
/** And versions looked at, so that others get their turn where little is found. */
const SPAN = 5_000

/**
 * An array of the dataset's entities, as JSON or transit, in chunks (rest-api.md §5.2). The end is fixed when it begins. Throws at once
 * when the dataset or the subset cannot be read.
 */
export function datasetEntities(tenant: Readable, dataset: string, query: DatasetQuery): AsyncGenerator<Uint8Array> {
  if (query.uncommitted && query.subset !== undefined) throw notTogether()
  return withView(tenant, dataset, (view) => {
    const { subset: text } = query
    return chunksOf(tenant, view, query, text === undefined ? null : followed(tenant, view, text, query))
  })
}

/** Before a subset is read with {@link datasetEntities}: from the first time on it is noted who leaves it. */
export async function feedSubset(
  tenant: Tenant & { feedIndex(dataset: string, index: IndexDocument): Promise<void> },
  dataset: string,
  text: string,
): Promise<void> {
  const { index } = withView(tenant, dataset, ({ document }) => foundSubset(document, text))
  if (index.feedsSince === null) await tenant.feedIndex(dataset, index)
}

interface FollowedSubset extends FoundSubset {
  /** A page ended there. */
  stoppedAt(sequence: number): void
}

/** Throws `since-too-old` when somebody may have left of whom the reader would not hear. */
function followed(tenant: Readable, { document }: DatasetView, text: string, query: DatasetQuery): FollowedSubset {
  const found = foundSubset(document, text)
  const reads = wholeReadsOf(tenant)
  const read = `${document.generation} ${found.index.number} ${text}`
  const since = query.reverse ? null : (query.since ?? null)
  if (since !== null && !isFedSince(found.index, since) && !reads.mayGoOn(read, since)) {
    throw sinceTooOld(document, text, since)
  }
  return {
    ...found,
    stoppedAt(sequence) {
      if (!query.reverse && !isFedSince(found.index, sequence)) reads.stoppedAt(read, sequence)
    },
  }
}

const wholeReads = new WeakMap<Readable, WholeReads>()

function wholeReadsOf(tenant: Readable): WholeReads {
  const reads = wholeReads.get(tenant) ?? new WholeReads()
  wholeReads.set(tenant, reads)
  return reads
}

function chunksOf(
  tenant: Readable,
  view: DatasetView,
  query: DatasetQuery,
  subset: FollowedSubset | null,
): AsyncGenerator<Uint8Array> {
  const { id: dataset, generation } = view.document
  const { end } = asAsked(view, query).counts()
  const { history, deleted, reverse, limit = Number.POSITIVE_INFINITY } = query
  const feed = subset && subsetFeed(subset, { history, reverse })
  const read = (view: DatasetView, since: number, to: number) =>
    feed === null ? asAsked(view, query).changes(since, { history, reverse, to }) : feed.after(view, since, to)
  const isPlain = feed === null && !reverse && !query.uncommitted
  return (async function* () {
    const chunks = query.form === 'transit' ? new TransitChunks(CHUNK) : new JsonChunks(CHUNK)
    let since = reverse ? Math.min(query.since ?? end, end) : (query.since ?? -1)
    for (let left = limit; left > 0 && (reverse ? since > 0 : since < end - 1); await turn()) {
      const to = reverse ? Math.max(since - SPAN, 0) : Math.min(since + SPAN, end - 1)
      withSnapshot(tenant, (snapshot) => {
        const view = snapshot.dataset(dataset)
        if (view?.document.generation !== generation) throw gone(dataset)
        if (isPlain && chunks instanceof JsonChunks) {
          const asked = { history, deleted, to, limit: Math.min(left, PAGE) }
          const { reached, added } = view.jsonInto(chunks, since, asked)
          since = reached
          left -= added
          return
        }
        let found = 0
        for (const version of read(view, since, to)) {
          since = version.sequence
          if (version.deleted && !deleted && !history) continue
          chunks.add(version)
          if (--left === 0) subset?.stoppedAt(since)
          if (left === 0 || ++found === PAGE) return
        }
        since = to
      })
      yield* chunks.take()
    }
    yield chunks.end()
  })()
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const gone = (dataset: string): HubError =>
  new HubError('dataset-gone', `The dataset '${dataset}' was deleted while it was read.`)

const notTogether = (): HubError =>
  new HubError('bad-request', 'A subset holds nothing that is not committed.', {
    hint: "Leave out 'subset' or 'uncommitted'.",
  })

const asAsked = (view: DatasetView, { uncommitted = false }: { readonly uncommitted?: boolean }): UncommittedView =>
  uncommitted ? view.withUncommitted() : view

/** The latest version of one entity, or the one at an offset, as text; with a subset only when it is in it. */
export function datasetEntity(
  tenant: Tenant,
  dataset: string,
  id: string,
  {
    offset,
    subset,
    uncommitted = false,
    form = 'json',
  }: {
    readonly offset?: number | undefined
    readonly subset?: string | undefined
    readonly uncommitted?: boolean | undefined
    readonly form?: TextForm | undefined
  } = {},
): string | undefined {
  if (uncommitted && subset !== undefined) throw notTogether()
  return withView(tenant, dataset, (committed) => {
    const view = asAsked(committed, { uncommitted })
    const feed = subset === undefined ? null : subsetFeed(foundSubset(view.document, subset), { history: false })
    const version = offset === undefined ? view.latest(id) : view.version(offset)
    if (version === undefined || version.id !== id || feed?.holds(version) === false) return undefined
    if (form === 'transit') return new TransitWriter().write(entityOf(version, { internal: true }))
    return storedJson(version)
  })
}

/** The latest version of one entity with its internal properties; undefined when missing or deleted. */
export function entity(tenant: Tenant, dataset: string, id: string): Entity | undefined {
  return withView(tenant, dataset, (view) => live(view.latest(id)))
}

/** Live entities in `_id` order after an id. */
export function scan(
  tenant: Tenant,
  dataset: string,
  { after, limit }: { readonly after?: string; readonly limit: number },
): readonly Entity[] {
  return withView(tenant, dataset, (view) => {
    const found: Entity[] = []
    if (limit <= 0) return found
    for (const version of view.entities({ deleted: false, ...(after === undefined ? {} : { after }) })) {
      found.push(entityOf(version, { internal: true }))
      if (found.length >= limit) break
    }
    return found
  })
}

/** Headers of rest-api.md §6.2, taken before the body is read, so that they promise no more than it holds. */
export function datasetHeaders(tenant: Readable, dataset: string): Record<string, string> {
  return withView(tenant, dataset, (view) => {
    const { populated, generation, completeness, restore } = view.document
    const { end } = view.counts()
    return {
      'X-Dataset-Populated': String(populated),
      'X-Dataset-Generation': generation,
      ...(end === 0 ? {} : { 'X-Dataset-Max-Updated': String(end - 1) }),
      ...(completeness === null ? {} : { 'X-Dataset-Completeness': String(completeness) }),
      ...(restore === null ? {} : restoreHeaders(restore)),
    }
  })
}

const restoreHeaders = ({
  uuid,
  offset,
  generation,
}: NonNullable<DatasetDocument['restore']>): Record<string, string> => ({
  'X-Dataset-Restore-Uuid': uuid,
  // Ours: by it a reader tells a restore of what it knows from another dataset.
  'X-Dataset-Restore-Generation': generation,
  ...(offset === null ? {} : { 'X-Dataset-Restore-Offset': String(offset) }),
})

export function withSnapshot<T>(tenant: Readable, use: (snapshot: Snapshot) => T): T {
  const snapshot = tenant.snapshot()
  try {
    return use(snapshot)
  } finally {
    snapshot.close()
  }
}

function withView<T>(tenant: Readable, dataset: string, use: (view: DatasetView) => T): T {
  return withSnapshot(tenant, (snapshot) => {
    const view = snapshot.dataset(dataset)
    if (view === undefined) throw new HubError('unknown-dataset', `There is no dataset '${dataset}'.`)
    return use(view)
  })
}

const live = (version: Version | undefined): Entity | undefined =>
  version === undefined || version.deleted ? undefined : entityOf(version, { internal: true })

/** Live entities whose property holds the value, from an index that is made when it is first asked for. */
export async function lookup(
  tenant: Tenant & { propertyIndex(dataset: string, property: string): Promise<string> },
  dataset: string,
  property: string,
  value: Value,
): Promise<readonly Entity[]> {
  const key = indexKey(value)
  if (key === null) return []
  const expression = await tenant.propertyIndex(dataset, property)
  return withView(tenant, dataset, (view) => {
    const index = view.document.indexes.find((one) => one.expression === expression)
    if (index?.state !== 'ready')
      throw new HubError('index-not-ready', `The index on '${property}' is not complete yet.`)
    return view.lookup(index.number, key).flatMap((id) => live(view.latest(id)) ?? [])
  })
}
