/** Takes in what is pushed to a receiver pipe: the server's side of JSON Push (rest-api.md §7). */

import type { Commit, Completeness, DatasetView, Snapshot } from '../log/contract.ts'
import { LogError } from '../log/errors.ts'
import { type Entity, idOf } from '../model/entity.ts'
import { DatasetWriter, rulesOf, type Written } from './dataset-writer.ts'
import { trackDeletions } from './deletion-tracking.ts'
import { PipeError } from './errors.ts'
import { causedBy } from './logger.ts'
import type { Pipe, PipeSink } from './pipe.ts'
import { ReadPosition } from './position.ts'
import { runContext } from './run-context.ts'
import type { RunPorts } from './run-ports.ts'
import type { PipeSchema } from './schema/pipe-schema.ts'
import { SeenSet } from './seen-set.ts'
import { type SeenHead, SeenStore } from './seen-store.ts'
import { parsePush } from './sources/http-endpoint.ts'
import type { StateChange, StateChanges } from './state.ts'
import { isFiltered, transformBatch } from './transform-batch.ts'
import { isVerbatim, packVerbatim } from './verbatim.ts'

/** Parameters of one request (rest-api.md §7.1). */
export interface Push {
  readonly sequenceId?: string
  readonly isFull: boolean
  readonly requestId?: string
  readonly previousRequestId?: string
  readonly isFirst: boolean
  readonly isLast: boolean
  readonly completeness?: number
  /** Id of the request, for logs. */
  readonly cause?: string
}

/** The one entity that a request brought, if it did, and what became of it. */
export type Received = { readonly id: string; readonly written: Written } | { readonly id: null }

const NOTHING: Received = { id: null }

/** A full sync under way, as it is saved: it survives a restart, unless its dataset or its pipe became another one. */
interface Head extends SeenHead {
  readonly fingerprint: string
  readonly sequenceId: string
  readonly lastRequestId: string | null
}

interface FullSync {
  /** Null: a request without a sequence, which is one of its own. */
  head: Head | null
  readonly seen: SeenSet
  /** Its requests are written one after the other, in the order of the sequence; rejected once one of them failed. */
  written: Promise<void>
}

export class Receiver {
  readonly #pipe: Pipe
  readonly #ports: RunPorts
  readonly #sink: PipeSink & { kind: 'dataset' }
  readonly #isVerbatim: boolean
  readonly #store: SeenStore<Head>
  /** Undefined: not read from the store yet. */
  #active: FullSync | null | undefined = undefined
  /** Saved pages of sequences that were dropped, to be deleted. */
  readonly #dropped: StateChange[] = []

  constructor(pipe: Pipe, ports: RunPorts) {
    if (pipe.sink.kind !== 'dataset') {
      throw new PipeError('not-a-receiver', `Pipe '${pipe.id}' receives, but its sink is not a dataset.`)
    }
    this.#pipe = pipe
    this.#ports = ports
    this.#sink = pipe.sink
    this.#isVerbatim = isVerbatim(pipe)
    this.#store = new SeenStore(pipe.id)
  }

  /** Resolves when the entities are on disk. Requests that arrive together share a transaction. */
  async take(body: Uint8Array, push: Push): Promise<Received> {
    const position = new ReadPosition(this.#ports.log.snapshot())
    try {
      const batch = this.#packed(body, push, position.snapshot)
      const entities = batch === null ? parsePush(body, this.#pipe.source.config) : []
      const sync = this.#advance(push, await this.#dataset(position), position.snapshot)
      if (batch !== null) return await this.#writeVerbatim(batch, body, push, position)
      if (sync === null) return await this.#write(entities, push, null, null, position)
      const { head } = sync
      const written = sync.written.then(() => this.#write(entities, push, sync, head, position))
      sync.written = written.then(() => {})
      // Whoever comes next hears of it, if anybody does.
      sync.written.catch(() => {})
      try {
        return await written
      } catch (error) {
        await this.#giveUp(sync)
        throw error
      }
    } finally {
      position.close()
    }
  }

  /** The body as it goes into the log, where nothing has to be known of its entities; index keys are made of values. */
  #packed(body: Uint8Array, push: Push, snapshot: Snapshot): ArrayBuffer | null {
    if (!this.#isVerbatim || push.isFull) return null
    const indexes = snapshot.dataset(this.#sink.dataset)?.document.indexes ?? []
    return indexes.length > 0 ? null : packVerbatim(body, this.#pipe.source.config)
  }

  async #writeVerbatim(entities: ArrayBuffer, body: Uint8Array, push: Push, position: ReadPosition): Promise<Received> {
    const { dataset } = this.#sink
    const { indexSet, indexes, populated } = this.#view(position).document
    const asValues = () => this.#write(parsePush(body, this.#pipe.source.config), push, null, null, position)
    if (indexes.length > 0) return asValues()
    try {
      await this.#commit({
        writes: [{ dataset, entities, indexSet, ...rulesOf(this.#sink.rules) }],
        completeness: this.#completeness(push),
        populated: this.#populates(true) && !populated ? [[dataset, true]] : [],
      })
      // Only sinks with optimistic locking answer with an entity, and they read values.
      return NOTHING
    } catch (error) {
      if (!(error instanceof LogError && error.code === 'index-set-changed')) throw error
      position.moveToPresent()
      return asValues()
    }
  }

  async #write(
    entities: readonly Entity[],
    push: Push,
    sync: FullSync | null,
    head: Head | null,
    position: ReadPosition,
  ): Promise<Received> {
    // What goes into the log as bytes is told from there: the values of such a pipe are counted nowhere.
    const schemas = this.#isVerbatim ? undefined : this.#ports.schemas
    const schema = schemas?.open(this.#pipe.id, position.snapshot) ?? null
    try {
      return await this.#writeNoted(entities, push, sync, head, position, schema)
    } catch (error) {
      // Beside other requests it cannot be told apart from what these counted.
      if (schema?.users === 1) {
        position.moveToPresent()
        schema.restore(position.snapshot)
      }
      throw error
    } finally {
      if (schema !== null) schemas?.close(schema)
    }
  }

  async #writeNoted(
    entities: readonly Entity[],
    push: Push,
    sync: FullSync | null,
    head: Head | null,
    position: ReadPosition,
    schema: PipeSchema | null,
  ): Promise<Received> {
    const logger = causedBy(this.#ports.logger, push.cause)
    const context = runContext(this.#pipe, position, { ...this.#ports, logger })
    const all = await transformBatch(this.#pipe, entities, context, { turn: this.#ports.turn })
    const made = this.#sink.suppressesFiltered === true ? all.filter((entity) => !isFiltered(entity)) : all
    schema?.note(entities, made, this.#ports.now())
    const view = this.#view(position)
    if (sync !== null) {
      for (const entity of made) {
        const known = isFiltered(entity) ? undefined : view.head(idOf(entity))
        if (known !== undefined) sync.seen.mark(known.sequence)
      }
    }
    const isLast = sync !== null && (head === null || push.isLast)
    const populated = this.#populates(sync === null || isLast) && !view.document.populated
    const flag = populated ? ([[this.#sink.dataset, true]] as const) : []
    const writer = new DatasetWriter(
      this.#ports.journal,
      this.#ports.indexes,
      this.#sink.dataset,
      () => this.#view(position).document,
      () => position.moveToPresent(),
      this.#sink.tracksChildren ? () => this.#stored(position) : null,
      this.#sink.rules,
    )
    const completeness = this.#completeness(push)
    const state = schema?.take() ?? []
    const written = await writer.write(made, { durable: true, completeness, populated: isLast ? [] : flag, state })
    const [only] = made
    const received =
      entities.length === 1 && made.length === 1 && only !== undefined ? { id: idOf(only), written } : NOTHING
    if (sync !== null && head !== null && !isLast) await this.#save(sync, head)
    if (!isLast) return received
    const write = (gone: readonly Entity[]) => writer.write(gone, { durable: true }, { isOfHub: true })
    if (this.#sink.deletionTracking) await trackDeletions(position, this.#sink, sync.seen, write)
    const own = head === null ? [] : this.#store.forgetPages(head, sync.seen)
    await this.#commit({ populated: flag, state: [...own, ...this.#takeDropped()] })
    return received
  }

  /** When what was received makes the dataset a complete first load (hub.md §2.4). */
  #populates(isComplete: boolean): boolean {
    const { populatedWhen } = this.#sink
    if (populatedWhen === 'never') return false
    const isAtOnce = populatedWhen === 'initially' || populatedWhen === 'onload'
    return isComplete || isAtOnce || this.#pipe.source.config.auto_populate_dataset !== false
  }

  #completeness(push: Push): readonly Completeness[] {
    return [{ dataset: this.#sink.dataset, value: push.completeness ?? 'now' }]
  }

  /** A dataset that was deleted is made again by who is sent something for it. */
  async #dataset(position: ReadPosition): Promise<DatasetView> {
    const found = position.snapshot.dataset(this.#sink.dataset)
    if (found !== undefined) return found
    await this.#ports.journal.assertDataset(this.#sink.dataset)
    position.moveToPresent()
    return this.#view(position)
  }

  #view(position: ReadPosition): DatasetView {
    const { dataset } = this.#sink
    const view = position.snapshot.dataset(dataset)
    if (view === undefined) throw new PipeError('dataset-gone', `The dataset '${dataset}' was deleted.`)
    return view
  }

  #stored(position: ReadPosition): DatasetView {
    position.moveToPresent()
    return this.#view(position)
  }

  #commit(commit: Commit): Promise<unknown> {
    return this.#ports.journal.commit({ ...commit, durable: true })
  }

  /** Saved with each request, so that the next one finds it whatever happens between; not what was dropped meanwhile. */
  async #save(sync: FullSync, head: Head): Promise<void> {
    if (this.#active !== sync) return
    await this.#commit({ state: [...this.#takeDropped(), ...this.#store.save(head, sync.seen)] })
  }

  /** A failed write ends the sequence without deletion tracking (rest-api.md §7.2 note 4). */
  async #giveUp(sync: FullSync): Promise<void> {
    if (this.#active === sync) this.#drop()
    // When this fails too, what is saved is the sequence before this request, whole.
    await this.#commit({ state: this.#takeDropped() }).catch(() => {})
  }

  /** Ends the sequence that is under way; what is saved of it goes with the next commit. */
  #drop(): void {
    if (this.#active?.head) this.#dropped.push(...this.#store.forgetPages(this.#active.head, this.#active.seen))
    this.#active = null
  }

  /** What is to be deleted of sequences that ended, and the head unless another one has begun. */
  #takeDropped(): StateChanges {
    const pages = this.#dropped.splice(0)
    return this.#active ? pages : [...this.#store.forget(), ...pages]
  }

  /** The sequence that was under way when the hub ended, if nothing it depends on is another. */
  #restored(view: DatasetView, snapshot: Snapshot): FullSync | null {
    const head = this.#store.head(snapshot)
    const isUsable =
      head !== undefined &&
      head.fingerprint === this.#pipe.fingerprint &&
      head.dataset === this.#sink.dataset &&
      head.generation === view.document.generation
    if (isUsable) return { head, seen: this.#store.load(snapshot, head), written: Promise.resolve() }
    if (head !== undefined) this.#dropped.push(...this.#store.forgetPages(head, this.#store.load(snapshot, head)))
    return null
  }

  /** The state machine of rest-api.md §7.2; gives the full sync this request belongs to, or null. */
  #advance(push: Push, view: DatasetView, snapshot: Snapshot): FullSync | null {
    if (this.#active === undefined) this.#active = this.#restored(view, snapshot)
    // Of a dataset that was deleted meanwhile nothing was seen.
    if (this.#active && this.#active.seen.generation !== view.document.generation) this.#drop()
    const active = this.#active
    const { sequenceId, requestId = null, previousRequestId } = push
    if (!push.isFull) {
      if (active?.head && sequenceId === active.head.sequenceId) {
        throw conflict(`Sequence ${sequenceId} is a full sync; this request says it is not.`)
      }
      return null
    }
    if (sequenceId === undefined) {
      // A request without a sequence is one of its own, first and last at once: an unfinished other one is dropped.
      this.#drop()
      return { head: null, seen: newSeenSet(view), written: Promise.resolve() }
    }
    if (!active?.head || sequenceId !== active.head.sequenceId) {
      if (previousRequestId !== undefined) {
        throw conflict(`The sequence ${sequenceId} is not known here (any more).`)
      }
      return this.#begin(sequenceId, requestId, push.isLast, view)
    }
    if (push.isFirst) throw conflict(`The sequence ${sequenceId} has begun already.`)
    if ((previousRequestId ?? null) !== active.head.lastRequestId) {
      throw conflict(`The request before should have been ${active.head.lastRequestId}, not ${previousRequestId}.`)
    }
    active.head = { ...active.head, lastRequestId: requestId }
    if (push.isLast) this.#active = null
    return active
  }

  #begin(sequenceId: string, requestId: string | null, isLast: boolean, view: DatasetView): FullSync {
    const seen = newSeenSet(view)
    const { generation, end } = seen
    const head: Head = {
      token: this.#ports.uuid(),
      dataset: this.#sink.dataset,
      generation,
      end,
      fingerprint: this.#pipe.fingerprint,
      sequenceId,
      lastRequestId: requestId,
    }
    const sync: FullSync = { head, seen, written: Promise.resolve() }
    this.#drop()
    this.#active = isLast ? null : sync
    return sync
  }
}

const newSeenSet = (view: DatasetView): SeenSet => new SeenSet(view.document.generation, view.counts().end)

const conflict = (message: string): PipeError =>
  new PipeError('push-conflict', message, { hint: 'Start the full sync over with a new sequence_id.' })
