/** What others see of the language: compile a program once, then run it on entities; what it reads from elsewhere comes through {@link Lookup}. */

import type { Dict } from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import type { Value } from '../model/value.ts'

/** How a transform reaches other datasets. Its answers are in `_id` order and never hold deleted entities. */
export interface Lookup {
  /** Entities of the dataset that have one of the keys in the index (each entity once), by `_id`. */
  joined(index: IndexSpec, keys: readonly Value[]): readonly Entity[]
  /** Latest version of one id, or undefined when missing or deleted. */
  entity(dataset: string, id: string): Entity | undefined
}

/** An index a program needs: an expression over the entities of a dataset. */
export interface IndexSpec {
  readonly dataset: string
  /** Self-contained text of the expression and the settings that change its meaning; compiles with `compileIndex`. */
  readonly expression: string
}

export interface DtlSettings {
  readonly pipe: string
  readonly namespacedIdentifiers: boolean
  readonly namespaces: { readonly identity: string; readonly property: string }
  /** `namespaces.default` with the built-ins. */
  readonly prefixes: Readonly<Record<string, string>>
}

/** A mistake in a program; `pointer` is a JSON pointer below the transform object. */
export interface DtlProblem {
  readonly level: 'error' | 'warning'
  readonly pointer: string
  readonly message: string
  readonly hint?: string
}

/** What one run of a batch gives the program. */
export interface RunContext {
  readonly lookup: Lookup
  /** Nanoseconds since 1970. */
  readonly now: () => bigint
  readonly uuid: () => string
  /** `_B`: URL parameters of a publisher's request. */
  readonly bound: Dict
  /** Hears how many rows a hops spec with a `trace` found for one input (dtl.md §10.1). */
  readonly cardinality?: (trace: string, rows: number) => void
}

export interface DtlTransform {
  /** Runs the `default` rule; emitted entities in order (those of `create` first). Throws DtlError with the pointer of the failing transform. */
  apply(source: Entity, context: RunContext): readonly Entity[]
  readonly analysis: Analysis
  /** Its hops turned round; made when it is first asked for. */
  readonly inverse: Inverse
}

export interface Analysis {
  /** Indexes the hops look things up in. */
  readonly indexes: readonly IndexSpec[]
  /** Datasets read by hops or lookup-entity: they must be populated before the pipe runs. */
  readonly datasets: readonly string[]
  /** Of these, the ones reached by tracked hops. */
  readonly tracked: readonly string[]
  readonly deterministic: boolean
  readonly createsChildren: boolean
}

/** The way back from entities of other datasets to the sources whose result may depend on them (dtl.md §11.3). */
export interface Inverse {
  readonly places: readonly InversePlace[]
}

/** An alias of a hops spec: where an entity of a dataset can be bound. */
export interface InversePlace {
  readonly rule: string
  /** Of the spec. */
  readonly pointer: string
  readonly dataset: string
  readonly alias: string
  /** `track-dependencies` */
  readonly tracked: boolean
  /** All of them are taken. */
  readonly steps: readonly InverseStep[]
  /** Why there is no way back, or none in some cases; null: all sources are found. */
  readonly obstacle: string | null
}

export interface InverseStep {
  /** Number of the place it leads to; null: the source of the program. */
  readonly to: number | null
  /** The dataset in which entities are looked up; null: that of the source. */
  readonly dataset: string | null
  /** What is found by any of them. */
  readonly lookups: readonly InverseLookup[]
  /** Of a recursion: it can be taken so many times in a row, null for no limit. */
  readonly again: { readonly limit: number | null } | null
}

/** Texts of two index expressions: what the first gives for the entity at hand is looked up among what the second gives. */
export interface InverseLookup {
  readonly key: string
  readonly index: string
}

export interface CompiledIndex {
  /** Distinct non-null key values of one entity. */
  keys(entity: Entity): readonly Value[]
}
