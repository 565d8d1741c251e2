/** What others see of the log: commits go in through a {@link Journal}, versions come out through a {@link Snapshot}. */

import type { StoredForm } from '../model/json.ts'
import type { JsonChunks } from './json-chunks.ts'

/** One version of an entity as it lies in the log. */
export interface Version {
  readonly id: string
  /** `_updated`: place in the dataset, from 0, one more for each stored version. */
  readonly sequence: number
  /** `_previous`: sequence of the version before, or null. */
  readonly previous: number | null
  readonly deleted: boolean
  /** Wall clock when it was stored, microseconds since 1970. */
  readonly ts: number
  /** 32 hex characters. */
  readonly hash: string
  /** UTF-8 JSON (with transit tags) of `_id` and the content. Valid until the snapshot is renewed or closed: copy to keep. */
  readonly body: Uint8Array
  /** How the body may be read; absent: with care. */
  readonly form?: StoredForm
}

export interface DatasetDocument {
  readonly id: string
  /** The dataset's number in keys; never used again after the dataset is gone. */
  readonly number: number
  /** UUID; another one after the dataset was deleted and made again. */
  readonly generation: string
  readonly populated: boolean
  /** `replicated`: its versions come with sequences of another log, and only so (hub.md §2.9). */
  readonly kind: 'normal' | 'replicated'
  /** Its pipe asked for it. Every commit is on disk before it is answered, durable or not. */
  readonly durable: boolean
  /** Its circuit breaker tripped (hub.md §13): it takes no writes, and nothing is compacted. */
  readonly isTripped: boolean
  /** Grows when the set of indexes changes; a commit names the set it was computed with. */
  readonly indexSet: number
  readonly indexes: readonly IndexDocument[]
  /** Microseconds since 1970 up to when everything is in it (hub.md §11), or null when nobody has said. */
  readonly completeness: number | null
  /** The values of the datasets it was made from, near and far, as they were known when its own was stored. */
  readonly upstream: Readonly<Record<string, number>>
  /** Entities erased so far. When it grew, what holds older versions (an incremental backup, a tracker) begins anew. */
  readonly erased: number
  /** Ids of which compaction left nothing so far: as with the erased, what builds on older versions begins anew when it grew. */
  readonly vanished: number
  /** When the data came from a backup last. */
  readonly restore: RestoreDocument | null
}

export interface RestoreDocument {
  /** Another one each time. */
  readonly uuid: string
  /** The highest sequence that came with it, if any. */
  readonly offset: number | null
  /** What the data had been before, for who wants to go on with what came with it. */
  readonly generation: string
}

export interface IndexDocument {
  readonly number: number
  /** What the index is made from: opaque here, compiled by whoever computes entries. */
  readonly expression: string
  /** Of the expression and the functions it uses; another one means a rebuild. */
  readonly fingerprint: string
  /** `filling`: every new batch maintains it already, but no lookup may use it yet. */
  readonly state: 'filling' | 'ready'
  /** Sequence below which the background fill has come, while filling. */
  readonly filled: number
  /** Next sequence when it was declared: from there on every version brought its keys. */
  readonly until: number
  /** Entities that the fill has passed. */
  readonly indexed: number
  /** From this sequence on it is noted who loses a key, for the feeds of subsets; null: it is not. */
  readonly feedsSince: number | null
}

export interface IndexSettings {
  /** Subsets are to be read as feeds from it. It stays so. */
  readonly feeds?: boolean
}

export interface DatasetCounts {
  /** Next sequence to be given: one more than the newest. */
  readonly end: number
  /** Ids whose latest version is not deleted. */
  readonly existing: number
  /** Ids whose latest version is deleted. */
  readonly deleted: number
  /** Versions in the log. */
  readonly versions: number
}

/** A consistent view of everything at one moment. Short-lived: renew for each batch, or at most each second. */
export interface Snapshot {
  datasets(): readonly DatasetDocument[]
  dataset(id: string): DatasetView | undefined
  offset(name: string): string | undefined
  offsets(prefix: string): readonly (readonly [name: string, value: string])[]
  /** Pipes' runtime state and other small JSON documents. */
  meta(name: string): string | undefined
  state(key: Uint8Array): Uint8Array | undefined
  /** State entries whose key starts with the prefix, in byte order; with `after` only those behind that key. */
  states(prefix: Uint8Array, after?: Uint8Array): Iterable<readonly [key: Uint8Array, value: Uint8Array]>
  /** Moves this snapshot to the present. */
  renew(): void
  close(): void
}

/** A version without its content: what compaction looks at. */
export interface Place {
  readonly id: string
  readonly sequence: number
  readonly previous: number | null
  readonly deleted: boolean
  /** Microseconds since 1970. */
  readonly ts: number
  /** The block it lies in, and the bytes of that. */
  readonly block: number
  readonly blockBytes: number
}

export interface DatasetView {
  readonly document: DatasetDocument
  counts(): DatasetCounts
  /** Places of all versions after `since` (exclusive; null: from the start), in log order. */
  places(since: number | null): Iterable<Place>
  /** Places of those versions that are there; `sequences` ascend. */
  placesAt(sequences: Iterable<number>): Iterable<Place>
  /** What the last {@link Removal} said of how far it came. */
  compacted(): string | undefined
  /** Versions that are all that is left of erased entities, ascending: they go once all readers have passed them. */
  remnants(): readonly number[]
  /** What a run with a circuit breaker writes or wrote here and nobody sees yet; usually nothing. */
  staging(): Staging | undefined
  /** The dataset as it would be with that, for those who look into what tripped; itself when there is nothing. */
  withUncommitted(): UncommittedView
  /** Newest version of an id, deleted or not. */
  latest(id: string): Version | undefined
  /** As {@link latest}, for many ids of which some lie near others: blocks that were read are kept, until the snapshot moves. */
  latestReader(): (id: string) => Version | undefined
  /** Only whether it is there and its hash: does not touch the body. */
  head(id: string): { readonly sequence: number; readonly hash: string; readonly deleted: boolean } | undefined
  version(sequence: number): Version | undefined
  /** Those versions that are there; `sequences` ascend. */
  versionsAt(sequences: Iterable<number>): Iterable<Version>
  /**
   * Versions after `since` (exclusive; null: from the start) in log order, up to the end of the snapshot.
   * `history` false: only those that are their id's newest in this snapshot. `to`: not beyond this sequence, so that a
   * reader who finds little keeps no thread for long.
   */
  changes(
    since: number | null,
    options?: { history?: boolean; reverse?: boolean; limit?: number; to?: number },
  ): Iterable<Version>
  /**
   * Adds the JSON of {@link changes}, without making anything else of them; `deleted` false leaves deleted ones out. Gives
   * the sequence up to which it came: `to`, unless `limit` was reached before.
   */
  jsonInto(
    chunks: JsonChunks,
    since: number | null,
    options: { readonly history: boolean; readonly deleted: boolean; readonly to: number; readonly limit: number },
  ): { readonly reached: number; readonly added: number }
  /** Latest versions in `_id` order (code points), after `after` (exclusive). */
  entities(options?: { after?: string; deleted?: boolean }): Iterable<Version>
  /** As {@link entities}, without their content: only which ids there are, and where their newest versions lie. */
  heads(options?: {
    after?: string
    deleted?: boolean
  }): Iterable<{ readonly id: string; readonly sequence: number; readonly deleted: boolean }>
  /** Ids whose latest version has this key in the index, in `_id` order; the deleted only when asked for. */
  lookup(index: number, key: Uint8Array, options?: { deleted?: boolean }): readonly string[]
  /**
   * The live ids under a key page by page, or with `deleted` the deleted ones, for keys that very many have; `after` the
   * last id of a page goes on in another snapshot. In `_id` order, but ids above 512 bytes come among themselves in the
   * order of their hashes.
   */
  lookupPages(
    index: number,
    key: Uint8Array,
    options?: { after?: string | undefined; size?: number; deleted?: boolean },
  ): Iterable<readonly string[]>
  /**
   * What changed after `since` (exclusive; with `reverse` before it) in the part of the dataset that has a key in an
   * index: the newest version of each id in it, and of each id that left it the version with which it did, as deleted; in
   * log order. `members` are those that {@link subsetMembers} gave in this or an earlier snapshot: then what came after
   * that is not in it. The index must be ready. Of who left before `IndexDocument.feedsSince` nothing is told.
   */
  subset(
    part: SubsetKey,
    since: number | null,
    options?: { reverse?: boolean; members?: Float64Array | null; to?: number },
  ): Iterable<Version>
  /** For reading a subset over many snapshots: where its members lie; null when they are better found by reading on. */
  subsetMembers(part: SubsetKey, since: number | null, options?: { reverse?: boolean }): Float64Array | null
}

/** The part of a dataset whose live entities have a key in an index (hub.md §2.6). */
export interface SubsetKey {
  /** The index's number. */
  readonly index: number
  readonly key: Uint8Array
}

/** The greatest entity that a log stores: bytes of its JSON, `_id` and content, without what the hub adds (hub.md §2.1). */
export const MAX_ENTITY_BYTES = 104_857_600

/** Indexes, and walks in the order of ids, know nothing of what is not committed. */
export type UncommittedView = Pick<DatasetView, 'document' | 'counts' | 'latest' | 'version' | 'changes'>

/** What a run with a circuit breaker wrote and nobody sees yet (hub.md §13). */
export interface Staging {
  readonly pipe: string
  readonly run: number
  /** Versions above which the breaker trips. */
  readonly limit: number
  /**
   * `open`: its run goes on. `tripped`: nothing more is written until it is decided. `exposing`: the versions are on
   * their way to the dataset. `undoing`: they are forgotten, and what the run stored beside them is put back.
   */
  readonly state: 'open' | 'tripped' | 'exposing' | 'undoing'
}

/** Where a version stands in the log that numbered it. */
export interface Stamp {
  readonly sequence: number
  readonly previous: number | null
  /** Microseconds since 1970. */
  readonly ts: number
}

/** In `Write.expected`: the id has no version yet. */
export const NOT_THERE = -1

/** One dataset's part of a commit. */
export interface Write {
  readonly dataset: string
  /** Entities packed by `EntityPacker` of batch.ts (transferred, not copied). */
  readonly entities: ArrayBuffer
  readonly indexSet: number
  /** Append even when the hash is equal (reposting). */
  readonly force?: boolean
  /** `_filtered` and deletion tracking: a deleted version for an unknown or already deleted id is not written. */
  readonly deletesOnlyExisting?: boolean
  /** The entities are what is left of erased ones: they are appended in any case and noted as remnants. */
  readonly erases?: boolean
  /** The greatest entity that this write may bring, counted as {@link MAX_ENTITY_BYTES} is, which it may not exceed. */
  readonly maxEntityBytes?: number
  /**
   * A version of an id that has one already, a deleted one included, refuses the commit (`second-version`) or is left
   * out. An entity that is equal to the version there is no second one.
   */
  readonly secondVersions?: 'refuse' | 'ignore'
  /**
   * For each entity the sequence that its id's latest version must have, or {@link NOT_THERE}: otherwise the commit is
   * refused (`stale-entity`), also when the entity is equal to what is there. NaN is true of nothing.
   */
  readonly expected?: Float64Array
  /**
   * Places that another log gave the versions, by `packStamps`: every one is appended, equal or not. Those below the
   * end must be there already. For replicated datasets, and for exposing what a circuit breaker held back.
   */
  readonly stamps?: Float64Array
}

/** Versions to be taken out of a dataset's log: small enough that no commit has to wait long for it. */
export interface Removal {
  readonly dataset: string
  /** Refused when the dataset is another one by now. */
  readonly generation: string
  /** By block: sequences of versions in it. Those that are gone already are passed over. */
  readonly blocks: readonly (readonly [block: number, sequences: readonly number[]])[]
  /** Of these, the versions that may be the newest of their id: nothing of the id is left then. Of any other id the newest stays. */
  readonly ids: readonly number[]
  /** How far the compaction is with all of it, in the same transaction. */
  readonly position?: string
  /** Remnants that need not be looked after any more. */
  readonly settled?: readonly number[]
}

/** What became of a removal. It ends early, between two blocks, when others would have to wait: the rest is to be asked for again. */
export interface Removed {
  readonly versions: number
  /** Blocks that are done, from the first on. */
  readonly blocks: number
}

/** What becomes known of a dataset; while a circuit breaker holds it back, once what is held back becomes part of it. */
export interface Completeness {
  readonly dataset: string
  /** Microseconds since 1970; `now`: the moment of the commit, all that it writes included; absent: it stays what it was. */
  readonly value?: number | 'now'
  /** Replaces what was known of others; absent: that stays. */
  readonly upstream?: Readonly<Record<string, number>>
}

/** All of it happens, or nothing: one transaction. */
export interface Commit {
  /** The writer refuses it when this is not the pipe's current run. */
  readonly run?: RunToken
  readonly writes?: readonly Write[]
  readonly offsets?: readonly (readonly [name: string, value: string | null])[]
  readonly meta?: readonly (readonly [name: string, value: string | null])[]
  readonly state?: readonly (readonly [key: Uint8Array, value: Uint8Array | null])[]
  readonly populated?: readonly (readonly [dataset: string, populated: boolean])[]
  readonly completeness?: readonly Completeness[]
  /** Answer only once it is on disk. */
  readonly durable?: boolean
}

export interface Committed {
  /** For each write: versions appended, and the dataset's next sequence after it. */
  readonly writes: readonly {
    readonly written: number
    readonly seen: number
    readonly end: number
    /** This write was one too many for the circuit breaker: it is the last of its run, and not committed yet. */
    readonly tripped?: true
  }[]
}

/** The seam for a replicated journal (design §9): append with expectations, and administration. Reading since and the feed are on the Snapshot and Feed side. */
export interface Journal {
  commit(commit: Commit): Promise<Committed>
  /** Makes the dataset if it is not there; gives its document. `wrong-kind` when it has versions of the other kind. */
  assertDataset(id: string, settings?: DatasetSettings): Promise<DatasetDocument>
  deleteDataset(id: string): Promise<boolean>
  /** Declares an index; the fill is done by its caller through {@link fillIndex}. */
  assertIndex(
    dataset: string,
    expression: string,
    fingerprint: string,
    settings?: IndexSettings,
  ): Promise<IndexDocument>
  deleteIndex(dataset: string, index: number): Promise<boolean>
  /** Entries for versions that were there before the index: packed by `IndexFillPacker`; `filled` moves on; `ready` ends it. */
  fillIndex(dataset: string, index: number, entries: ArrayBuffer, filled: number, ready: boolean): Promise<void>
  /** Takes versions out of a log. Rejects `newest-version` rather than lose the newest of an id. */
  remove(removal: Removal): Promise<Removed>
  /** A new run of a pipe, which ends any other: commits of the former are refused from now on. */
  beginRun(pipe: string): Promise<number>
  /** What it wrote behind a circuit breaker and did not expose is undone. */
  endRun(pipe: string, number: number): Promise<void>
  /** A pipe that is no more: its run ends, and its runs are counted from the start should it come again. */
  forgetRuns(pipe: string): Promise<void>
  /**
   * From now on what the run writes to the dataset is not committed, until it is exposed or discarded; all other writes
   * are refused. Offsets and state that it stores are put back when it is discarded. Above `limit` versions it trips.
   */
  beginStaging(dataset: string, run: RunToken, limit: number): Promise<void>
  /** The run trips on what it stages, however little that is: nobody sees it before it is decided. */
  tripStaged(dataset: string, run: RunToken): Promise<void>
  /**
   * Decides that what is staged becomes part of the dataset: for the run that wrote it, or, without one, when it has
   * tripped. True when there are versions to be moved: its caller does so with `exposeStaged` of expose.ts.
   */
  decideStaged(dataset: string, run?: RunToken): Promise<boolean>
  /** Forgets what is staged and puts back what was stored beside it; gives whether there was anything. */
  discardStaged(dataset: string): Promise<boolean>
}

export interface RunToken {
  readonly pipe: string
  readonly number: number
}

/** What stays as it is when it is not named. */
export interface DatasetSettings {
  readonly kind?: DatasetDocument['kind']
  readonly durable?: boolean
}

/** Hears of growth without polling the disk. */
export interface Feed {
  /** Next sequence of a dataset as last committed, by its number. */
  end(datasetNumber: number): number
  /** Grows by one with each commit that changed anything. */
  commits(): number
  /** Resolves when `commits()` differs from `seen`, or after the time. */
  changed(seen: number, timeoutMs: number): Promise<number>
}
