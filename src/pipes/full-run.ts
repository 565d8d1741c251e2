/** A full run that may be interrupted: where it began, where it is, what it saw, and what of this is saved (hub.md §7). */

import type { Snapshot } from '../log/contract.ts'
import { type Entity, idOf } from '../model/entity.ts'
import { movedBack } from './partial-rescan.ts'
import type { Pipe, PipeSink } from './pipe.ts'
import type { RunReport } from './run-report.ts'
import type { RunKind } from './schedule.ts'
import { SeenSet } from './seen-set.ts'
import { type SeenHead, SeenStore } from './seen-store.ts'
import type { StateChanges } from './state.ts'
import { isFiltered } from './transform-batch.ts'

interface Head extends SeenHead {
  /** Of what the pipe does: with another configuration the run begins anew. */
  readonly fingerprint: string
  /** Generations of the datasets it reads; null for one that does not exist. */
  readonly inputs: Readonly<Record<string, string | null>>
  /** The pipe's offset when the run began, which stays until the run is complete. */
  readonly base: string | null
  /** How far it came. */
  readonly reached: string | null
  /** Entities read. */
  readonly read: number
}

/** How a run goes about reading. */
export interface Plan {
  readonly syncType: RunReport['syncType']
  /** To read from. */
  readonly since: string | null
  /** The interrupted full run that it continues. */
  readonly resumed: FullRun | null
  /** There is state of a full run that nobody can continue. */
  readonly hasRemains: boolean
}

/** The name of a pipe's bookmark among the offsets of the log. */
export const sourceOffset = (pipe: string): string => `source:${pipe}`

/**
 * A run is full when there is no offset, when it is asked to be, and when one that was begun was not completed. A partial
 * one is incremental from further back: what it saves meanwhile lies further back, too, so when it is interrupted the next
 * run goes on with it.
 */
export function planRun(pipe: Pipe, snapshot: Snapshot, kind: RunKind): Plan {
  const { continuation, initialSince } = pipe.source
  const stored = continuation.supportsSince ? (snapshot.offset(sourceOffset(pipe.id)) ?? null) : null
  const store = new SeenStore<Head>(pipe.id)
  const head = store.head(snapshot)
  // An offset that was set or reset meanwhile is another beginning.
  const isOpen = head !== undefined && head.base === stored
  if (head !== undefined && isOpen && isSame(head, pipe, snapshot)) {
    const resumed = new FullRun(store, head, store.load(snapshot, head), true)
    return { syncType: 'full', since: head.reached ?? initialSince, resumed, hasRemains: false }
  }
  const rest = { resumed: null, hasRemains: head !== undefined }
  if (stored === null || kind === 'rescan' || isOpen) return { syncType: 'full', since: initialSince, ...rest }
  const before = kind === 'partial' ? movedBack(stored, pipe.pump.partialRescan?.delta ?? 0) : null
  return { syncType: before === null ? 'incremental' : 'partial', since: before ?? stored, ...rest }
}

/** Whether what was seen means the same to this run. */
function isSame(head: Head, pipe: Pipe, snapshot: Snapshot): boolean {
  if (head.fingerprint !== pipe.fingerprint) return false
  if (snapshot.dataset(head.dataset)?.document.generation !== head.generation) return false
  const inputs = inputsOf(pipe, snapshot)
  return Object.entries(inputs).every(([input, generation]) => head.inputs[input] === generation)
}

const inputsOf = (pipe: Pipe, snapshot: Snapshot): Record<string, string | null> =>
  Object.fromEntries(pipe.source.inputs.map((id) => [id, snapshot.dataset(id)?.document.generation ?? null]))

/** State is saved this often at least, between two batches. */
const SAVE_MS = 15 * 60_000

export class FullRun {
  readonly seen: SeenSet
  readonly #store: SeenStore<Head>
  readonly #isContinuable: boolean
  #head: Head
  #isSaved: boolean
  #unsaved = 0
  #savedAt: number | null = null

  constructor(store: SeenStore<Head>, head: Head, seen: SeenSet, isSaved: boolean, isContinuable = true) {
    this.#store = store
    this.#head = head
    this.seen = seen
    this.#isSaved = isSaved
    this.#isContinuable = isContinuable
  }

  static begin(pipe: Pipe, sink: PipeSink & { kind: 'dataset' }, snapshot: Snapshot, token: string): FullRun {
    const view = snapshot.dataset(sink.dataset)
    const end = view?.counts().end ?? 0
    const { isChronological, supportsSince } = pipe.source.continuation
    const head: Head = {
      token,
      dataset: sink.dataset,
      generation: view?.document.generation ?? '',
      end,
      fingerprint: pipe.fingerprint,
      inputs: inputsOf(pipe, snapshot),
      base: supportsSince ? (snapshot.offset(sourceOffset(pipe.id)) ?? null) : null,
      reached: null,
      read: 0,
    }
    // Other sources begin again wherever they were interrupted, so nothing of them is saved.
    return new FullRun(
      new SeenStore(pipe.id),
      head,
      new SeenSet(head.generation, end),
      false,
      isChronological && supportsSince,
    )
  }

  /** Entities read, in interrupted parts as well. */
  get read(): number {
    return this.#head.read
  }

  /** The versions by which these entities count as seen once they are handed over; filtered ones are not present (hub.md §7). */
  sequencesOf(entities: readonly Entity[], snapshot: Snapshot): readonly number[] {
    const view = snapshot.dataset(this.#head.dataset)
    const sequences: number[] = []
    for (const entity of entities) {
      const known = isFiltered(entity) ? undefined : view?.head(idOf(entity))
      if (known !== undefined && known.sequence < this.seen.end) sequences.push(known.sequence)
    }
    return sequences
  }

  /** A batch is stored. */
  passed(read: number, sequences: readonly number[], reached: string | null): void {
    for (const sequence of sequences) this.seen.mark(sequence)
    this.#head = { ...this.#head, read: this.#head.read + read, reached }
    this.#unsaved += read
  }

  /** What there is to save now: of all that was passed, every so many entities and every quarter of an hour. */
  due(interval: number, now: number): StateChanges {
    this.#savedAt ??= now
    if (this.#unsaved < interval && now - this.#savedAt < SAVE_MS) return []
    this.#savedAt = now
    return this.changes()
  }

  /** Seen-set and place, to be committed together. */
  changes(): StateChanges {
    if (!this.#isContinuable || this.#unsaved === 0 || this.#head.reached === null) return []
    this.#unsaved = 0
    this.#isSaved = true
    return this.#store.save(this.#head, this.seen)
  }

  /** The run is complete: to be committed with its offset. */
  forgotten(): StateChanges {
    return this.#isSaved ? this.#store.forget({ head: this.#head, seen: this.seen }) : []
  }
}

/**
 * Makes state of a full run that nobody can continue void, and deletes its pages. The head stays until a full run is
 * complete, since one is owed; void, lest its configuration come back and find its pages gone.
 */
export async function voidFullRun(
  pipe: string,
  present: () => Snapshot,
  commit: (state: StateChanges) => Promise<unknown>,
): Promise<void> {
  const store = new SeenStore<Head>(pipe)
  const head = store.head(present())
  if (head === undefined) return
  await commit(store.saveHead({ ...head, fingerprint: VOID }))
  await store.sweep(present, commit)
}

/** No configuration has it. */
const VOID = ''

/** How far a full run came that was interrupted, as of what is saved; undefined when none is owed. */
export function interruptedRun(pipe: string, snapshot: Snapshot): Pick<Head, 'reached' | 'read'> | undefined {
  const head = new SeenStore<Head>(pipe).head(snapshot)
  return head === undefined ? undefined : { reached: head.reached, read: head.read }
}

/** The state of a void full run goes: to be committed with what replaces it. */
export const fullRunForgotten = (pipe: string): StateChanges => new SeenStore<Head>(pipe).forget()
