/**
 * A rescan beside incremental runs (hub.md §6.3): what each has handed to the dataset, kept in the log so that either may
 * be interrupted.
 *
 * Both sets hold sequences of the sink dataset: `seen` those of the rescan, `touched` those of incremental runs, each of
 * the version that was there when an entity came unchanged, or of the version that was written. From `head.from` on all
 * versions are of the lane `head.by`, whatever is saved of the sets, since the lanes take turns; so only a change of turns
 * must be saved with the batch.
 */

import type { DatasetView, Snapshot } from '../../log/contract.ts'
import { sourceOffset } from '../full-run.ts'
import type { Pipe, PipeSink } from '../pipe.ts'
import { SeenSet } from '../seen-set.ts'
import { type SeenHead, SeenStore } from '../seen-store.ts'
import type { StateChanges } from '../state.ts'
import { hasReached } from './offset-order.ts'
import { Turns } from './turns.ts'

export type Lane = 'rescan' | 'incremental'

interface Head extends SeenHead {
  /** Of what the pipe does: with another configuration the rescan begins anew. */
  readonly fingerprint: string
  /** Generations of the datasets it reads; null for one that does not exist. */
  readonly inputs: Readonly<Record<string, string | null>>
  /** How far the rescan came, and how much it read. */
  readonly reached: string | null
  readonly read: number
  /** Where the first incremental run beside it began: the rescan need not read further. */
  readonly limit: string | null
  /** The rescan is behind the pipe's offset, and moves it: nobody else may. */
  readonly hasPassed: boolean
  readonly by: Lane
  readonly from: number
}

/** The journal's name for runs that go on beside others. */
export const besideRun = (pipe: string): string => `${pipe}\u0000rescan`

/** State is saved this often at least. */
const SAVE_MS = 15 * 60_000

export class Beside {
  readonly turns = new Turns()
  readonly seen: SeenSet
  readonly touched: SeenSet
  readonly #store: SeenStore<Head>
  #head: Head
  #unsaved = 0
  /** A commit failed that was to save what is known. */
  #isInDoubt = false
  #isOver = false
  #savedAt: number | null = null

  private constructor(store: SeenStore<Head>, head: Head, seen: SeenSet, touched: SeenSet) {
    this.#store = store
    this.#head = head
    this.seen = seen
    this.touched = touched
  }

  /** One that was begun, whatever became of it; undefined when there is none that can go on. */
  static find(pipe: Pipe, snapshot: Snapshot): Beside | undefined {
    const store = storeOf(pipe.id)
    const head = store.head(snapshot)
    const view = head === undefined ? undefined : snapshot.dataset(head.dataset)
    if (head === undefined || view === undefined || !isSame(head, pipe, view, snapshot)) return undefined
    const set = (token: string) => store.load(snapshot, { ...head, token, end: Number.POSITIVE_INFINITY })
    const beside = new Beside(store, head, set(seenToken(head)), set(touchedToken(head)))
    beside.wrote(head.by, head.from, view.counts().end)
    return beside
  }

  static begin(pipe: Pipe, { dataset }: PipeSink & { kind: 'dataset' }, snapshot: Snapshot, token: string): Beside {
    const view = snapshot.dataset(dataset)
    const end = view?.counts().end ?? 0
    const generation = view?.document.generation ?? ''
    const head: Head = {
      token,
      dataset,
      generation,
      end,
      fingerprint: pipe.fingerprint,
      inputs: inputsOf(pipe, snapshot),
      reached: null,
      read: 0,
      limit: null,
      hasPassed: false,
      by: 'rescan',
      from: end,
    }
    const set = () => new SeenSet(generation, Number.POSITIVE_INFINITY)
    return new Beside(storeOf(pipe.id), head, set(), set())
  }

  /** The rescan is complete: there is nothing to be noted any more. */
  get isOver(): boolean {
    return this.#isOver
  }

  finish(): void {
    this.#isOver = true
  }

  /** Next sequence of the dataset when the rescan began. */
  get end(): number {
    return this.#head.end
  }

  get generation(): string {
    return this.#head.generation
  }

  get reached(): string | null {
    return this.#head.reached
  }

  get read(): number {
    return this.#head.read
  }

  get limit(): string | null {
    return this.#head.limit
  }

  get hasPassed(): boolean {
    return this.#head.hasPassed
  }

  /** The rescan has read all that was there before the first run beside it. */
  get isAtLimit(): boolean {
    const { limit, reached } = this.#head
    return limit !== null && reached !== null && hasReached(reached, limit)
  }

  /** An incremental run begins at this offset. */
  limitTo(offset: string): StateChanges {
    this.#head = { ...this.#head, limit: offset }
    return this.#store.saveHead(this.#head)
  }

  /** The rescan came to an offset; gives whether it moves that of the pipe, from now on or already. */
  passes(offset: string, stored: string | null): boolean {
    const { limit, hasPassed } = this.#head
    if (limit !== null) return false
    if (!hasPassed && stored !== null && !hasReached(offset, stored)) return false
    this.#head = { ...this.#head, hasPassed: true }
    return true
  }

  /** A batch of the rescan is stored. */
  passed(read: number, offset: string | null): void {
    this.#head = { ...this.#head, read: this.#head.read + read, reached: offset ?? this.#head.reached }
    this.#unsaved += read
  }

  /** What must be saved with a batch, or before it: that another lane writes from `end` on. */
  turnOf(lane: Lane, end: number): StateChanges {
    if (this.#head.by === lane && !this.#isInDoubt) return []
    this.#head = { ...this.#head, by: lane, from: end }
    return this.changes()
  }

  /** What there is to save by now: every so many entities of the rescan and every quarter of an hour. */
  due(interval: number, now: number, end: number): StateChanges {
    this.#savedAt ??= now
    if (this.#unsaved < interval && now - this.#savedAt < SAVE_MS) return []
    this.#savedAt = now
    this.#unsaved = 0
    this.#head = { ...this.#head, by: 'rescan', from: end }
    return this.changes()
  }

  /** Does what saves changes. When it fails, all is to be saved the next time. */
  async saving<T>(work: () => Promise<T>): Promise<T> {
    try {
      const done = await work()
      this.#isInDoubt = false
      return done
    } catch (error) {
      this.#isInDoubt = true
      this.seen.changedAgain()
      this.touched.changedAgain()
      throw error
    }
  }

  changes(): StateChanges {
    return [...this.#store.saveHead(this.#head), ...this.touchedChanges(), ...this.#pages(seenToken, this.seen)]
  }

  /** Of the set of incremental runs alone. */
  touchedChanges(): StateChanges {
    return this.#pages(touchedToken, this.touched)
  }

  /** Versions from `from` up to `to` are of the lane. */
  wrote(lane: Lane, from: number, to: number): void {
    const set = lane === 'rescan' ? this.seen : this.touched
    for (let sequence = from; sequence < to; sequence++) set.mark(sequence)
  }

  /** Whether an entity whose newest version this is, is not gone: somebody brought it, or it is newer than the rescan. */
  isThere(sequence: number): boolean {
    return sequence >= this.#head.end || this.seen.has(sequence) || this.touched.has(sequence)
  }

  /** The rescan is complete: to be committed with its end. */
  forgotten(): StateChanges {
    return [
      ...this.#store.forget(),
      ...this.#store.forgetPages({ ...this.#head, token: seenToken(this.#head) }, this.seen),
      ...this.#store.forgetPages({ ...this.#head, token: touchedToken(this.#head) }, this.touched),
    ]
  }

  #pages(token: (head: Head) => string, set: SeenSet): StateChanges {
    return this.#store.savePages(token(this.#head), set)
  }
}

const storeOf = (pipe: string): SeenStore<Head> => new SeenStore<Head>(pipe, 'beside')
const seenToken = ({ token }: SeenHead): string => `${token}s`
const touchedToken = ({ token }: SeenHead): string => `${token}t`

const inputsOf = (pipe: Pipe, snapshot: Snapshot): Record<string, string | null> =>
  Object.fromEntries(pipe.source.inputs.map((id) => [id, snapshot.dataset(id)?.document.generation ?? null]))

/** Whether what was handed over means the same by now. Without an offset the pipe reads all by itself. */
function isSame(head: Head, pipe: Pipe, view: DatasetView, snapshot: Snapshot): boolean {
  if (head.fingerprint !== pipe.fingerprint || view.document.generation !== head.generation) return false
  if (snapshot.offset(sourceOffset(pipe.id)) === undefined) return false
  return Object.entries(inputsOf(pipe, snapshot)).every(([input, generation]) => head.inputs[input] === generation)
}

/** What an interrupted background rescan kept goes: in bounded steps, its head first. */
export async function forgetBeside(
  pipe: string,
  present: () => Snapshot,
  commit: (state: StateChanges) => Promise<unknown>,
): Promise<void> {
  const store = storeOf(pipe)
  if (store.head(present()) === undefined) return
  await commit(store.forget())
  await store.sweep(present, commit)
}

/** How far an interrupted background rescan came; undefined when there is none. */
export function interruptedBeside(pipe: string, snapshot: Snapshot): Pick<Head, 'reached' | 'read'> | undefined {
  const head = storeOf(pipe).head(snapshot)
  return head === undefined ? undefined : { reached: head.reached, read: head.read }
}
