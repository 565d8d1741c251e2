/**
 * A rescan beside incremental runs (hub.md §6.3): what each has handed to the dataset, kept in the log so that either may
 * be interrupted.
 *
 * Both sets hold sequences of the sink dataset: `seen` those of the rescan, `touched` those of incremental runs, each of
 * the version that was there when an entity came unchanged, or of the version that was written. From `head.from` on all
 * versions are of the lane `head.by`, whatever is saved of the sets, since the lanes take turns; so only a change of turns
 * must be saved with the batch.
 */

import type { Snapshot } from '../../log/contract.ts'
import type { Pipe, PipeSink } from '../pipe.ts'
import { SeenSet } from '../seen-set.ts'
import type { SeenHead, SeenStore } from '../seen-store.ts'
import type { StateChanges } from '../state.ts'
import type { TrackingChanges } from '../tracking/begin.ts'
import { followedAgain, followedFrom } from '../tracking/from.ts'
import { type Head, inputsOf, isSame, type Lane, type Making, storeOf } from './head.ts'
import { hasReached } from './offset-order.ts'
import { Turns } from './turns.ts'

/** An incremental run beside the rescan. */
interface Admitted {
  readonly stop: AbortController
  readonly left: Promise<void>
  readonly leave: () => void
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
  /** No incremental run may begin: the rescan takes in what is left. */
  #isClosed = false
  #admitted: Admitted | null = null

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
    // What is not known to be doubtful counts as there: the new state itself deletes what it does not make, by id.
    if (!beside.isDoubtful || head.by === 'rescan') beside.wrote(head.by, head.from, view.counts().end)
    return beside
  }

  static begin(
    pipe: Pipe,
    { dataset }: PipeSink & { kind: 'dataset' },
    snapshot: Snapshot,
    { token, isDoubtful }: { readonly token: string; readonly isDoubtful: boolean },
  ): Beside {
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
      ...(pipe.source.beside === null
        ? {}
        : { making: { isDoubtful, isExchanged: false, followed: followedFrom(pipe, snapshot) } }),
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

  get token(): string {
    return this.#head.token
  }

  /** It makes another state of the source. */
  get makesState(): boolean {
    return this.#head.making !== undefined
  }

  /** What incremental runs bring may be wrong, and never goes over what the rescan brought (hub.md §6.3). */
  get isDoubtful(): boolean {
    const { making } = this.#head
    return making?.isDoubtful === true && !making.isExchanged
  }

  get isExchanged(): boolean {
    return this.#head.making?.isExchanged === true
  }

  /** No incremental run may begin. */
  get isShut(): boolean {
    return this.#head.hasPassed || this.#isClosed
  }

  /** An incremental run goes on beside it until it leaves, or is told to end. */
  admit(): AbortSignal {
    let leave = () => {}
    const left = new Promise<void>((resolve) => {
      leave = resolve
    })
    this.#admitted = { stop: new AbortController(), left, leave }
    return this.#admitted.stop.signal
  }

  left(): void {
    this.#admitted?.leave()
    this.#admitted = null
  }

  /** Ends the run beside it, and lets none begin until it is opened again. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#admitted?.stop.abort()
    await this.#admitted?.left
  }

  open(): void {
    this.#isClosed = false
  }

  /** The new state takes its place: to be committed with it. */
  exchanged(snapshot: Snapshot, pipe: string): { readonly state: StateChanges } & TrackingChanges {
    const making = this.#head.making as Making
    const end = snapshot.dataset(this.#head.dataset)?.counts().end ?? this.#head.end
    this.#head = { ...this.#head, by: 'rescan', from: end, making: { ...making, isExchanged: true } }
    const { offsets, state } = followedAgain(pipe, making.followed, snapshot)
    return { offsets, state: [...this.changes(), ...state] }
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

  /** Something was made already. */
  get hasBegun(): boolean {
    return this.#head.reached !== null || this.#head.read > 0
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

  /** What must be saved with each batch of a source that keeps its place itself. */
  savedWith(end: number): StateChanges {
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
    return [
      ...this.#store.saveHead(this.#head),
      ...this.#pages(touchedToken, this.touched),
      ...this.#pages(seenToken, this.seen),
    ]
  }

  /** Of what incremental runs brought alone. */
  broughtChanges(): StateChanges {
    return this.#isSeenByAll ? this.#pages(seenToken, this.seen) : this.#pages(touchedToken, this.touched)
  }

  /** Versions from `from` up to `to` are of the lane. */
  wrote(lane: Lane, from: number, to: number): void {
    const set = lane === 'rescan' ? this.seen : this.brought
    for (let sequence = from; sequence < to; sequence++) set.mark(sequence)
  }

  /** Where what incremental runs brought is noted. */
  get brought(): SeenSet {
    return this.#isSeenByAll ? this.seen : this.touched
  }

  /** After the exchange what runs bring is right; what they brought before is doubtful still. */
  get #isSeenByAll(): boolean {
    const { making } = this.#head
    return making?.isDoubtful === true && making.isExchanged
  }

  /**
   * Whether an entity whose newest version this is, is not gone: somebody brought it, or it is newer than the rescan. What
   * an incremental run made doubtfully is there only if the rescan has made the same.
   */
  isThere(sequence: number): boolean {
    if (this.seen.has(sequence)) return true
    const isTouched = this.touched.has(sequence)
    return this.#head.making?.isDoubtful === true
      ? sequence >= this.#head.end && !isTouched
      : sequence >= this.#head.end || isTouched
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

const seenToken = ({ token }: SeenHead): string => `${token}s`
const touchedToken = ({ token }: SeenHead): string => `${token}t`
