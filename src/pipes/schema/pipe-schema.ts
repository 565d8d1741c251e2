/** What the entities look like that a pipe reads and that it hands to its sink: kept while it runs, and stored in one commit with them. */

import type { Snapshot } from '../../log/contract.ts'
import type { Entity } from '../../model/entity.ts'
import { type StateChange, type StateChanges, statePrefix } from '../state.ts'
import { EntityType } from './entity-type.ts'
import { forgetSamples, type SampleState, samplesOf, stateOf, type TypeState, typeOf } from './type-state.ts'

export type Side = 'source' | 'sink'

/** Of both sides; `sink` null: it is the same. */
interface Stored<T> {
  readonly source: T
  readonly sink: T | null
}

/** What of a pipe's state holds its types, and the samples of them. */
const typesKey = (pipe: string): Uint8Array => Buffer.from(`${statePrefix(pipe)}schema`)
const samplesKey = (pipe: string): Uint8Array => Buffer.from(`${statePrefix(pipe)}schema-samples`)

/** Nothing is known any more. */
export const schemaForgotten = (pipe: string): StateChanges => [[typesKey(pipe), null], ...samplesForgotten(pipe)]
export const samplesForgotten = (pipe: string): StateChanges => [[samplesKey(pipe), null]]

/** As far as it is stored; undefined: nothing was inferred. */
export function storedSchema(pipe: string, snapshot: Snapshot): Readonly<Record<Side, EntityType>> | undefined {
  const types = snapshot.state(typesKey(pipe))
  if (types === undefined) return undefined
  const { source, sink } = read(types, snapshot.state(samplesKey(pipe)))
  return { source, sink: sink ?? source }
}

/** Batches in which no samples are taken after an erasure: they may have been read before it. */
const UNSAMPLED = 2

export class PipeSchema {
  readonly pipe: string
  /** Runs and requests that count with it at the moment. */
  users = 0
  #source = new EntityType()
  /** Null: whatever it read it handed on as it was, so both sides are one. */
  #sink: EntityType | null = null
  /** As it is stored, as far as is known here. */
  #saved: Uint8Array | undefined
  #savedSamplings = 0
  #isDirty = false
  #unsampled = 0

  constructor(pipe: string) {
    this.pipe = pipe
  }

  /** What the source gave, and what of it is handed to the sink. `now`: milliseconds since 1970. */
  note(read: readonly Entity[], made: readonly Entity[], now: number): void {
    if (read.length + made.length === 0 || this.#isTruncated) return
    this.#isDirty = true
    const options = { sampling: this.#unsampled === 0 ? 'usual' : 'none' } as const
    if (this.#unsampled > 0) this.#unsampled--
    if (read !== made) this.#part()
    this.#source.see(read, now, options)
    // Once one side is too large, the whole pipe is left alone.
    if (!this.#source.isTruncated) this.#sink?.see(made, now, options)
  }

  /** What is to be stored in the commit with what was counted; a commit that fails is followed by {@link restore}. */
  take(): StateChanges {
    if (!this.#isDirty) return NOTHING
    this.#isDirty = false
    const [source, sink] = [this.#source, this.#sink]
    const types = json({ source: stateOf(source), sink: sink && stateOf(sink) } satisfies Stored<TypeState>)
    this.#saved = types
    const changes: StateChange[] = [[typesKey(this.pipe), types]]
    const samplings = this.#samplings
    if (samplings === this.#savedSamplings) return changes
    this.#savedSamplings = samplings
    const samples = { source: samplesOf(source), sink: sink && samplesOf(sink) } satisfies Stored<
      readonly SampleState[]
    >
    return [...changes, [samplesKey(this.pipe), json(samples)]]
  }

  /** Another thread may have gone on with it, or what was counted was never stored. */
  refresh(snapshot: Snapshot): void {
    const stored = snapshot.state(typesKey(this.pipe))
    const isKnown = stored === undefined ? this.#saved === undefined : this.#saved && isSame(stored, this.#saved)
    if (!isKnown || this.#isDirty) this.restore(snapshot)
  }

  /** Back to what is stored. */
  restore(snapshot: Snapshot): void {
    const stored = snapshot.state(typesKey(this.pipe))
    this.#saved = stored && Uint8Array.from(stored)
    const known = stored === undefined ? undefined : read(stored, snapshot.state(samplesKey(this.pipe)))
    this.#begin(known ?? { source: new EntityType(), sink: null })
  }

  /** Goes on from nothing. */
  discard(): void {
    this.#saved = undefined
    this.#begin({ source: new EntityType(), sink: null })
  }

  forgetSamples(): void {
    forgetSamples(this.#source)
    if (this.#sink !== null) forgetSamples(this.#sink)
    this.#unsampled = UNSAMPLED
  }

  #begin({ source, sink }: Stored<EntityType>): void {
    this.#source = source
    this.#sink = sink
    this.#savedSamplings = this.#samplings
    this.#isDirty = false
  }

  /** From now on the sides differ. */
  #part(): void {
    this.#sink ??= typeOf(stateOf(this.#source), samplesOf(this.#source))
  }

  get #isTruncated(): boolean {
    return this.#source.isTruncated || this.#sink?.isTruncated === true
  }

  /** Another number where there are other samples than before. */
  get #samplings(): number {
    return this.#source.samplings + (this.#sink === null ? 0 : 1 + this.#sink.samplings)
  }
}

const NOTHING: StateChanges = []

function read(types: Uint8Array, samples: Uint8Array | undefined): Stored<EntityType> {
  const state = parsed<Stored<TypeState>>(types)
  const sampled = samples === undefined ? null : parsed<Stored<readonly SampleState[]>>(samples)
  return {
    source: typeOf(state.source, sampled?.source ?? []),
    sink: state.sink && typeOf(state.sink, sampled?.sink ?? []),
  }
}

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const parsed = <T>(bytes: Uint8Array): T => JSON.parse(Buffer.from(bytes).toString()) as T
const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
