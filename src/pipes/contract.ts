/** What a source, transform, sink or system type is: one object with a schema, and a function that opens it. */

import type { Static, TObject } from 'typebox'
import type { DtlSettings, IndexSpec } from '../dtl/contract.ts'
import type { Snapshot } from '../log/contract.ts'
import type { Entity } from '../model/entity.ts'
import type { Naming } from '../model/iri.ts'
import type { Claims } from './claims.ts'
import type { Finding } from './finding.ts'
import type { Logger } from './logger.ts'
import type { DatasetFacts } from './reprocessing/facts.ts'
import type { SystemPort } from './systems/contract.ts'

/** A bookmark in a source: opaque text to everybody but the source. */
export type Offset = string

/** Entities that were read together, and where to go on after them. */
export interface Batch {
  readonly entities: readonly Entity[]
  /** To resume from after this batch; null when the source has no bookmark here. */
  readonly offset: Offset | null
  /** The source's own state, stored in one transaction with the batch and its offset. Keys lie below the pipe's own prefix. */
  readonly state?: readonly (readonly [key: Uint8Array, value: Uint8Array | null])[]
}

/** What a source outside of the hub says of the dataset behind it. */
export interface SaidOutside {
  /** Null: nothing by which it could be told from another one. */
  readonly facts: DatasetFacts | null
  /** Microseconds since 1970 (hub.md §11). */
  readonly completeness: number | null
}

/** What the engine gives a component that it opens. */
export interface Surroundings {
  readonly pipe: string
  readonly batchSize: number
  /** Bytes with which a batch is full, however few its entities are; absent: 8 MB. */
  readonly batchBytes?: number
  /** The pipe's system of that id; throws PipeError `unknown-system`. */
  system(id: string | undefined): SystemPort
  /** Reads of datasets, as of the snapshot of the run. */
  readonly snapshot: () => Snapshot
  /** Microseconds since 1970: what was written later is held back (hub.md §11). */
  readonly heldTo?: number | null
  /** Of a source that keeps a state: which it goes by; absent: its own, made anew where the configuration wants it. */
  readonly lane?: Lane
  /**
   * Is told what the other side says of itself, before anything of what it gave after `since` is handed on. It may throw:
   * then all of that is void, and the source is read anew.
   */
  readonly hear?: (said: SaidOutside, since: Offset | null) => Promise<void>
  readonly namespacedIdentifiers: boolean
  readonly identityNamespace: string
  /** What names mean in the pipe's programs; absent: as namespaces say above, with no prefixes. */
  readonly language?: DtlSettings
  /** How IRIs become identifiers and property names; absent: by the prefixes every tenant has. */
  readonly naming?: Naming
  readonly log: Logger
  readonly now: () => number
}

/**
 * `former`: the state as it was made, whatever the configuration says by now; `beside`: another one, made by a rescan of
 * this name (hub.md §6.3).
 */
export type Lane = { readonly kind: 'former' } | { readonly kind: 'beside'; readonly rescan: string }

/** A state that was made beside another and takes its place: to be committed together. */
export interface Exchange {
  readonly offset: Offset | null
  readonly state: NonNullable<Batch['state']>
}

/** What it takes to look at the state of a source. */
export type StateSurroundings = Pick<
  Surroundings,
  'pipe' | 'snapshot' | 'namespacedIdentifiers' | 'identityNamespace' | 'language'
>

/** What a source does that keeps a state, so that a rescan can make another beside it. */
export interface StateBeside<Config> {
  /** Why it cannot; null: it can. */
  whyNot(config: Config): string | null
  /** The state that there is was made with another configuration. */
  isOther(config: Config, surroundings: StateSurroundings): boolean
  exchange(config: Config, surroundings: StateSurroundings): Exchange
}

/** How the engine may continue a source (hub.md §14.0). */
export interface Continuation {
  readonly supportsSince: boolean
  readonly isSinceComparable: boolean
  readonly isChronological: boolean
}

export interface OpenSource {
  /** Everything after `since` (null: all), in batches. With `since` null it is a full read. */
  read(since: Offset | null, signal: AbortSignal): AsyncIterable<Batch>
  /**
   * What it makes, as of now, of these entities of one of its inputs, each thing once: dependency tracking runs them
   * again. Nothing is remembered of it, and what waits to be read is left to `read`, which gives it in any case.
   */
  reread?(dataset: string, ids: readonly string[]): readonly Entity[]
}

/** Where a pipe is told that there is news for it, and the word that must be said there. */
export interface Webhook {
  readonly url: string
  readonly token: string
}

/** How what a source gives hangs together with the entities of its inputs: what dependency tracking goes by. */
export interface Origin {
  /** Datasets whose entities come out. */
  readonly datasets: readonly string[]
  /** Whether all values that one of them has for a root property are among those of what comes out, under the same name. */
  carries(property: string): boolean
  /** Several become one, with the values of all in lists: no expression over more than one value finds it again. */
  readonly isPart?: boolean
  /** What stands before the `_id` of an entity of the dataset. */
  idPrefix?(dataset: string): string
}

/** An index that is complete before a pipe reads. */
export interface NeededIndex extends IndexSpec {
  /** A subset of the dataset is read from it as a feed. */
  readonly feeds?: boolean
}

/** What of a component depends on what names mean in its pipe: its index expressions, and what is wrong with them. */
export interface Needs {
  readonly indexes: readonly NeededIndex[]
  readonly findings: readonly Finding[]
}

export interface SourceType<S extends TObject = TObject> {
  readonly type: string
  readonly summary: string
  readonly config: S
  /** Properties of the schema that this version does not do: name -> what it is; set to anything but the default they are an error. */
  readonly unsupported?: Readonly<Record<string, string>>
  readonly examples: readonly Record<string, unknown>[]
  /** What the schema cannot say: properties that need or exclude one another. With an error among them it is not opened. */
  check?(config: Static<S>): readonly Finding[]
  /** Indexes without which it cannot be read: they are complete before it is opened. */
  needs?(config: Static<S>, settings: DtlSettings): Needs
  continuation(config: Static<S>): Continuation
  /** It keeps a state in the log that a read of everything makes anew: two reads at once would be at odds. */
  readonly keepsState?: boolean
  /** With a state: how another is made beside it; absent: rescans run alone. */
  readonly beside?: StateBeside<Static<S>>
  /** Datasets it reads (for order, signals, populated). */
  inputs(config: Static<S>): readonly string[]
  /**
   * It notices itself that its configuration, or what it reads, is another one than before, and then gives what has to be
   * given anew: that is no reason to read everything again.
   */
  readonly adapts?: boolean
  /** Whether what it reads is a complete first load; absent: it is once a run has read all (hub.md §2.4). */
  populated?(config: Static<S>, snapshot: Snapshot): boolean
  /**
   * Asks what it reads to call when there is more after the offset; absent: it cannot be asked. Throws when it was refused.
   */
  subscribe?(
    config: Static<S>,
    surroundings: Surroundings,
    since: Offset | null,
    webhook: Webhook,
    signal: AbortSignal,
  ): Promise<void>
  /** The offset behind everything that is there, or null when nothing is; absent: nobody knows it. */
  end?(config: Static<S>, snapshot: Snapshot): Offset | null
  /** Absent: what it gives cannot be followed back to entities of its inputs. With it, the open source has `reread`. */
  origin?(config: Static<S>): Origin
  /** `add_namespaces` when namespaced identifiers are on and the pipe says nothing (dtl.md §7.1). */
  readonly addsNamespaces: boolean
  open(config: Static<S>, surroundings: Surroundings): OpenSource
}

export interface OpenSink {
  /** Writes a batch to an external system; throws when it could not. */
  write(entities: readonly Entity[], signal: AbortSignal): Promise<void>
  /** The source gave everything. `isComplete`: all of it was written; otherwise what is not there is not known to be gone. */
  end?(signal: AbortSignal, run: { readonly isComplete: boolean }): Promise<void>
}

export interface SinkType<S extends TObject = TObject> {
  readonly type: string
  readonly summary: string
  readonly config: S
  /** Properties of the schema that this version does not do: name -> what it is; set to anything but the default they are an error. */
  readonly unsupported?: Readonly<Record<string, string>>
  readonly examples: readonly Record<string, unknown>[]
  /** What the schema cannot say: properties that need or exclude one another. With an error among them it is not opened. */
  check?(config: Static<S>): readonly Finding[]
  /** Indexes that the dataset it writes is to have: filled in the background, nobody waits for them. */
  needs?(config: Static<S>, settings: DtlSettings): Needs
  /** `dataset`: the engine writes it; `publisher`: evaluated on request; `external`: opened and written to. */
  readonly kind: 'dataset' | 'publisher' | 'external'
  readonly removesNamespaces: boolean
  open?(config: Static<S>, surroundings: Surroundings, run: SinkRun): OpenSink
}

/** The run that a sink is opened for. */
export interface SinkRun {
  readonly full: boolean
  /** What may be said of the completeness of what is sent; absent: nothing. */
  readonly claims?: Claims
}

export const defineSource = <S extends TObject>(source: SourceType<S>): SourceType<S> => source
export const defineSink = <S extends TObject>(sink: SinkType<S>): SinkType<S> => sink
