/**
 * Remembers what a pipe made of each source entity (`trace_output`), so that a run deletes what it no longer makes.
 *
 * Two tables among the state of the pipe, written in one commit with the entities:
 *
 *     of   source id → ids of what was made of it, and the run that said so
 *     by   id, source id → nothing: who makes an id, where it is not the entity of that id itself
 *
 * What several source entities make goes when none of them makes it any more.
 */

import { setImmediate } from 'node:timers/promises'
import type { DatasetView, Snapshot } from '../log/contract.ts'
import { entityOf } from '../log/stored.ts'
import { boundKey } from '../merge/keys.ts'
import { get, set } from '../model/dict.ts'
import { type Entity, idOf, isDeleted, isEntity } from '../model/entity.ts'
import { BatchBounds } from './sources/batch-bounds.ts'
import { forgetState, type StateChange, type StateChanges, statePrefix } from './state.ts'
import { isFiltered } from './transform-batch.ts'
import { writingBytes } from './weight.ts'

type Ids = ReadonlySet<string>
type Notes = readonly (readonly [source: string, ids: Ids])[]

/** What belongs to a batch beside the entities that were made. */
export interface Traced {
  /** To be deleted, with their last content. */
  readonly gone: readonly Entity[]
  readonly state: StateChanges
}

/** What the tables belong to. */
interface Head {
  /** Of the dataset that is written: of another one they say nothing. */
  readonly generation: string
  /** Of the run in which the last full read began. */
  readonly fullRun: number
}

interface Row {
  readonly run: number
  readonly ids: Ids
}

interface Access {
  /** All that is stored by now. */
  present(): Snapshot
  commit(state: StateChanges): Promise<unknown>
}

/** Rows looked at in one go. */
const PAGE = 5_000

const root = (pipe: string): string => `${statePrefix(pipe)}made\u0000`

/** What was remembered while the pipe traced its output is void once it does not. */
export async function forgetTrace(pipe: string, { present, commit }: Access): Promise<void> {
  if (present().state(Buffer.from(`${root(pipe)}head`)) !== undefined) await forgetState(root(pipe), present, commit)
}

export class OutputTrace {
  readonly #root: string
  readonly #run: number
  #fullRun = 0
  /** By what was made of a batch: its source entities in order, each with the ids of what became of it. */
  readonly #notes = new WeakMap<readonly Entity[], Notes>()

  /** `run` is the number of the run. */
  constructor(pipe: string, run: number) {
    this.#root = root(pipe)
    this.#run = run
  }

  /** `continues`: the full read goes on that was begun before. */
  async begin(generation: string, isFull: boolean, continues: boolean, { present, commit }: Access): Promise<void> {
    const stored = present().state(this.#key('head'))
    const head = stored === undefined ? undefined : (JSON.parse(Buffer.from(stored).toString()) as Head)
    const isOfOther = head !== undefined && head.generation !== generation
    if (isOfOther) await forgetState(this.#root, present, commit)
    const isNew = head === undefined || isOfOther || (isFull && !continues)
    this.#fullRun = isNew ? this.#run : head.fullRun
    if (isNew) await commit([[this.#key('head'), json({ generation, fullRun: this.#run } satisfies Head)]])
  }

  /**
   * Makes of the entities what `make` makes of each, and notes that for when it is handed over: in parts that end with the
   * source entity that takes them to so many bytes.
   */
  async *made(
    entities: readonly Entity[],
    make: (one: readonly Entity[]) => Promise<readonly Entity[]>,
    bytes: number,
  ): AsyncGenerator<readonly Entity[]> {
    let all: Entity[] = []
    let notes: (readonly [source: string, ids: Ids])[] = []
    let bounds = new BatchBounds(Number.POSITIVE_INFINITY, bytes)
    let isFull = false
    for (const source of entities) {
      if (isFull) {
        this.#notes.set(all, notes)
        yield all
        all = []
        notes = []
        bounds = new BatchBounds(Number.POSITIVE_INFINITY, bytes)
      }
      const made = await make([source])
      for (const one of made) all.push(one)
      isFull = bounds.add(made.reduce((sum, one) => sum + writingBytes(one), 0))
      // A source entity without an id nobody knows again.
      if (!isEntity(source)) continue
      const kept = made.filter((entity) => isEntity(entity) && !isFiltered(entity) && !isDeleted(entity))
      notes.push([idOf(source), new Set(kept.map(idOf))])
    }
    this.#notes.set(all, notes)
    yield all
  }

  /** For what {@link made} gave. All that was handed over before is stored. */
  take(made: readonly Entity[], snapshot: Snapshot, sink: DatasetView): Traced {
    const notes = this.#notes.get(made) ?? []
    const now = new Map(notes)
    const rows = new Map([...now.keys()].map((source) => [source, this.#row(snapshot, source)]))
    const former = new Set([...rows.values()].flatMap((row) => [...(row?.ids ?? [])]))
    for (const [, ids] of notes) for (const id of ids) former.add(id)
    for (const ids of now.values()) for (const id of ids) former.delete(id)
    const gone = [...former].filter((id) => !this.#isMadeByOthers(snapshot, id, now))
    return {
      gone: gone.flatMap((id) => lastContent(sink, id) ?? []),
      state: [...now].flatMap(([source, ids]) => this.#changes(source, ids, rows.get(source))),
    }
  }

  /** A full read is complete: what it did not come upon is made by nobody. */
  async endFullRun({ present, commit }: Access): Promise<void> {
    const below = this.#key('of\u0000')
    let after: Uint8Array | undefined
    for (let looked = PAGE; looked === PAGE; ) {
      const changes: StateChange[] = []
      looked = 0
      for (const [key, value] of present().states(below, after)) {
        after = Uint8Array.from(key)
        const { run, ids, source } = rowOf(value)
        if (run < this.#fullRun) changes.push([after, null], ...this.#pointers(source, ids, null))
        if (++looked === PAGE) break
      }
      if (changes.length > 0) await commit(changes)
      if (looked === PAGE) await setImmediate()
    }
  }

  #changes(source: string, ids: Ids, row: Row | undefined): StateChange[] {
    const gone = [...(row?.ids ?? [])].filter((id) => !ids.has(id))
    const come = [...ids].filter((id) => !row?.ids.has(id))
    if (row !== undefined && gone.length + come.length === 0 && row.run >= this.#fullRun) return []
    const value = ids.size === 0 ? null : json({ run: this.#run, source, ids: [...ids] })
    return [
      [this.#rowKey(source), value],
      ...this.#pointers(source, gone, null),
      ...this.#pointers(source, come, NOTHING),
    ]
  }

  #pointers(source: string, ids: Iterable<string>, value: Uint8Array | null): StateChange[] {
    return [...ids].filter((id) => id !== source).map((id) => [this.#key(this.#pointer(id) + boundKey(source)), value])
  }

  /** `now` is what the sources of this batch make; all others make what their rows say. */
  #isMadeByOthers(snapshot: Snapshot, id: string, now: ReadonlyMap<string, Ids>): boolean {
    if (!now.has(id) && this.#row(snapshot, id)?.ids.has(id)) return true
    const below = this.#key(this.#pointer(id))
    const within = new Set([...now.keys()].map(boundKey))
    for (const [key] of snapshot.states(below)) {
      if (!within.has(Buffer.from(key.subarray(below.length)).toString())) return true
    }
    return false
  }

  #row(snapshot: Snapshot, source: string): Row | undefined {
    const value = snapshot.state(this.#rowKey(source))
    return value === undefined ? undefined : rowOf(value)
  }

  #rowKey(source: string): Buffer {
    return this.#key(`of\u0000${boundKey(source)}`)
  }

  #pointer(id: string): string {
    return `by\u0000${boundKey(id)}\u0000`
  }

  #key(rest: string): Buffer {
    return Buffer.from(this.#root + rest)
  }
}

const NOTHING = Buffer.alloc(0)

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))

function rowOf(value: Uint8Array): Row & { readonly source: string } {
  const { run, source, ids } = JSON.parse(Buffer.from(value).toString()) as {
    run: number
    source: string
    ids: string[]
  }
  return { run, source, ids: new Set(ids) }
}

/** Marked as filtered, which deletes what is there and nothing else (hub.md §2.2). */
function lastContent(sink: DatasetView, id: string): Entity | undefined {
  const version = sink.withUncommitted().latest(id)
  if (version === undefined || version.deleted) return undefined
  const entity = entityOf(version, { internal: false })
  set(entity, '_filtered', true)
  return get(entity, '_id') === undefined ? undefined : entity
}
