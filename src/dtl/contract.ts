/** What others see of the language: compile a program once, then run it on entities; what it reads from elsewhere comes through {@link Lookup}. */

import type { Dict } from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import type { Value } from '../model/value.ts'
import type { DtlError } from './errors.ts'

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
  /** What to do about it. */
  readonly hint: string
}

/** OpenPGP, which runs outside of the language. Both throw a DtlError for a key that cannot be used. */
export interface OpenPgp {
  /** The armoured message. */
  encrypt(publicKey: string, text: string): string
  /** Null: it is no message for this key, or was changed. */
  decrypt(privateKey: string, passphrase: string, message: string): string | null
}

/** What one run of a batch gives the program. */
export interface RunContext {
  readonly lookup: Lookup
  /** Nanoseconds since 1970. */
  readonly now: () => bigint
  readonly uuid: () => string
  /** `_B`: URL parameters of a publisher's request. */
  readonly bound: Dict
  /** The dataset that the source entities are of, when the pipe reads one. */
  readonly dataset?: string
  /** The version before of an entity of that dataset; null: it is the first, or the former one is gone. */
  readonly previous?: (source: Entity) => Entity | null
  /** The completeness value of a dataset as another one knows it, in nanoseconds since 1970 (dtl.md §12). */
  readonly completeness?: (via: string, dataset: string) => bigint | null
  readonly openPgp?: OpenPgp
  /** Hears of seconds that the pipe is to pause after the entity. */
  readonly pause?: (seconds: number) => void
  /** Throws when there is no memory for so many more bytes; asked now and then, by an entity that takes much work. */
  readonly room?: (more: number) => void
  /** Hears how many rows a hops spec with a `trace` found for one input (dtl.md §10.1). */
  readonly cardinality?: (trace: string, rows: number) => void
  readonly meter?: HopsMeter
  /** The value of a secret that a key or password names; undefined: there is none. */
  readonly secret?: (name: string) => string | undefined
  /** Takes secrets out of the text of values, which goes into errors and traces. */
  readonly mask?: (text: string) => string
}

/** Hears what hops look up (dtl.md §10.7). */
export interface HopsMeter {
  /** Entities looked up by all hops for one source entity. */
  source(count: number): void
  /** One evaluation of the hops at the pointer begins; null: nobody counts it. */
  begin(pointer: string): Evaluation | null
}

export interface Evaluation {
  /** What one lookup gave. It may throw, which ends the run. */
  collect(entities: readonly Entity[]): void
}

export interface DtlTransform {
  /** Runs the `default` rule; emitted entities in order (those of `create` first). Throws DtlError with the pointer of the failing transform. */
  apply(source: Entity, context: RunContext): readonly Entity[]
  /** The same run, told step by step: for previews, not for speed. Errors are part of what it tells. */
  trace(source: Entity, context: RunContext): Trace
  readonly analysis: Analysis
  /** Its hops turned round; made when it is first asked for. */
  readonly inverse: Inverse
  /** Which property comes from where; made when it is first asked for. */
  readonly lineage: readonly RuleLineage[]
}

/** What a run did; bounded in steps and in the text of each value. */
export interface Trace {
  readonly result: readonly Entity[]
  readonly error: DtlError | null
  /** In the order in which they began. */
  readonly steps: readonly TraceStep[]
  /** There were more steps than are told. */
  readonly isCut: boolean
}

export interface TraceStep {
  readonly kind: 'transform' | 'function' | 'rule'
  readonly name: string
  readonly pointer: string
  /** How many steps it stands in. */
  readonly depth: number
  /** Values of its arguments in the order in which they were evaluated, constants where they are written, as JSON text. */
  readonly input: readonly string[]
  /** What it gave, of a transform the properties it changed; null where it failed. */
  readonly output: string | null
  readonly failed: boolean
}

export interface Analysis {
  /** Indexes the hops look things up in. */
  readonly indexes: readonly IndexSpec[]
  /** Datasets read by hops or lookup-entity: they must be populated before the pipe runs. */
  readonly datasets: readonly string[]
  /** Of these, the ones reached by tracked hops. */
  readonly tracked: readonly string[]
  /** It gives the same whenever it runs, as long as all datasets stay the same. */
  readonly deterministic: boolean
  readonly createsChildren: boolean
  /** It may trip the circuit breaker of the dataset that is written. */
  readonly trips: boolean
  readonly purity: Purity
  readonly emission: Emission
}

/** The id of what is emitted for a source: the source's own, made of it so that no two sources share one, or any. */
export type IdForm = 'own' | { readonly prefix: string; readonly suffix: string } | 'any'

/** What a program may emit for one source. */
export interface Emission {
  /** Of the target, when nothing stops the rule. */
  readonly id: IdForm
  /** Where that is decided; none for `own`. */
  readonly idPlaces: readonly Place[]
  /** A target that is filtered has the same id as one that is not. */
  readonly isSteady: boolean
  /** Of the rule `default`. */
  readonly filters: readonly Place[]
  readonly discards: readonly Place[]
  /** No target ever comes of it, filtered or not. */
  readonly isTargetless: boolean
  readonly creations: readonly Creation[]
  /** Where the target of a deleted source may come to life. */
  readonly revivals: readonly Place[]
}

/** A `create` in any rule. */
export interface Creation {
  readonly pointer: string
  readonly id: IdForm
  /** No deleted source gets there. */
  readonly isOfLiving: boolean
}

/** A place in a program and what is there: a function, a field, a dataset. */
export interface Place {
  readonly pointer: string
  readonly what: string
}

/** What a program depends on that nobody can follow backwards, place by place. */
export interface Purity {
  readonly time: readonly Place[]
  readonly chance: readonly Place[]
  /** Earlier versions of the source, or completeness. */
  readonly history: readonly Place[]
  /** Fields that the hub keeps about entities, such as `_ts`. */
  readonly internal: readonly Place[]
  /** Datasets read by `lookup-entity`, which is never tracked. */
  readonly lookups: readonly Place[]
}

/** What one rule reads and writes (for the lineage of properties). */
export interface RuleLineage {
  readonly rule: string
  /** Everything it looks at, conditions and joins included. */
  readonly reads: readonly Origin[]
  /** In the order of the program; a later one may overwrite an earlier one. */
  readonly writes: readonly PropertyLineage[]
}

export interface PropertyLineage {
  /** Of the transform. */
  readonly pointer: string
  /** Name of the transform; `start` for what a target begins with. */
  readonly by: string
  /** A path of names as the target holds them, such as `lines.price` below an applied rule. Null: named at run time. */
  readonly property: string | null
  /** The property is a pattern: all names of the origin that match it, but those that match one of `except`. */
  readonly isPattern: boolean
  readonly except: readonly string[]
  readonly effect: 'write' | 'remove'
  /** It stands in a branch, or has a condition of its own. */
  readonly isConditional: boolean
  /** Where its value is taken or computed from; none for constants. What only chooses is not among them. */
  readonly from: readonly Origin[]
}

export interface Origin {
  /** The source of the rule, an entity of a dataset, or the parameters of a request. */
  readonly from: 'source' | 'dataset' | 'request'
  readonly dataset: string | null
  /** Names joined with dots as in programs; empty: the whole entity. */
  readonly path: string
  /** Its last name is a pattern. */
  readonly isPattern: boolean
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
