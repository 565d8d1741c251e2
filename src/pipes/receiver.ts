/** Takes in what is pushed to a receiver pipe: the server's side of JSON Push (rest-api.md §7). */

import type { Commit, DatasetView, Snapshot } from '../log/contract.ts'
import { LogError } from '../log/errors.ts'
import { type Entity, idOf } from '../model/entity.ts'
import type { TextForm } from '../model/text-form.ts'
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
import { groupReader, parsePush } from './sources/http-endpoint.ts'
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
  /** Of the body; JSON unless said. */
  readonly form?: TextForm
}

/** Some of the entities of a long request: a list of its own. */
export interface EntityGroup {
  readonly bytes: Uint8Array
  readonly count: number
}

/** What a commit says beside its entities. */
type Ending = Pick<Commit, 'completeness' | 'populated'>

/** What was made of some entities, and what became of it. */
interface Stored {
  readonly made: readonly Entity[]
  readonly written: Written
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
  readonly #seenStore: SeenStore<Head>
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
    this.#seenStore = new SeenStore(pipe.id)
  }

  /** Resolves when the entities are on disk. Requests that arrive together share a transaction. */
  take(body: Uint8Array, push: Push): Promise<Received> {
    return this.#reading(async (position) => {
      const batch = this.#packed(body, push, position.snapshot)
      const entities = batch === null ? parsePush(body, this.#pipe.source.config, push.form) : []
      return this.#inSequence(push, position, async (sync, head) => {
        if (batch === null) return this.#write(entities, push, sync, head, position)
        // Only sinks with optimistic locking answer with an entity, and they read values.
        if (await this.#storeVerbatim(batch, position, this.#ending(push, true, position))) return NOTHING
        return this.#write(parsePush(body, this.#pipe.source.config), push, null, null, position)
      })
    })
  }

  /**
   * A request that is too long for the memory: its entities come in groups, each a list of its own. Each group is on disk
   * before the next is asked for, and stays, whatever comes after it (rest-api.md §7.7).
   */
  takeLong(groups: AsyncIterable<EntityGroup>, push: Push): Promise<Received> {
    return this.#reading((position) =>
      this.#inSequence(push, position, async (sync, head) => {
        const read = groupReader(this.#pipe.source.config, push.form)
        let kept = 0
        for await (const { bytes, count } of groups) {
          position.moveToPresent()
          const batch = this.#packed(bytes, push, position.snapshot)
          if (batch === null || !(await this.#storeVerbatim(batch, position))) {
            const entities = partOf(kept, () => read(bytes))
            await this.#store(entities, push, sync, position)
          }
          kept += count
        }
        position.moveToPresent()
        await this.#finish(push, sync, head, position)
        return NOTHING
      }),
    )
  }

  async #reading<T>(work: (position: ReadPosition) => Promise<T>): Promise<T> {
    const position = new ReadPosition(this.#ports.log.snapshot())
    try {
      return await work(position)
    } finally {
      position.close()
    }
  }

  /** Requests of a full sync are written one after the other; one that fails ends it. */
  async #inSequence(
    push: Push,
    position: ReadPosition,
    write: (sync: FullSync | null, head: Head | null) => Promise<Received>,
  ): Promise<Received> {
    const sync = this.#advance(push, await this.#dataset(position), position.snapshot)
    if (sync === null) return write(null, null)
    const { head } = sync
    const written = sync.written.then(() => write(sync, head))
    sync.written = written.then(() => {})
    // Whoever comes next hears of it, if anybody does.
    sync.written.catch(() => {})
    try {
      return await written
    } catch (error) {
      await this.#giveUp(sync)
      throw error
    }
  }

  /** The body as it goes into the log, where nothing has to be known of its entities; index keys are made of values. */
  #packed(body: Uint8Array, push: Push, snapshot: Snapshot): ArrayBuffer | null {
    if (!this.#isVerbatim || push.isFull || push.form === 'transit') return null
    const indexes = snapshot.dataset(this.#sink.dataset)?.document.indexes ?? []
    return indexes.length > 0 ? null : packVerbatim(body, this.#pipe.source.config)
  }

  /** False: it has to be read as values after all, because there is an index now. */
  async #storeVerbatim(entities: ArrayBuffer, position: ReadPosition, ending: Ending = {}): Promise<boolean> {
    const { dataset, rules } = this.#sink
    const { indexSet, indexes } = this.#view(position).document
    if (indexes.length > 0) return false
    try {
      await this.#commit({ writes: [{ dataset, entities, indexSet, ...rulesOf(rules) }], ...ending })
      return true
    } catch (error) {
      if (!(error instanceof LogError && error.code === 'index-set-changed')) throw error
      position.moveToPresent()
      return false
    }
  }

  async #write(
    entities: readonly Entity[],
    push: Push,
    sync: FullSync | null,
    head: Head | null,
    position: ReadPosition,
  ): Promise<Received> {
    // What belongs to the end of an incremental request goes into the commit of its entities.
    const ending = sync === null ? this.#ending(push, true, position) : { populated: this.#populated(false, position) }
    const { made, written } = await this.#store(entities, push, sync, position, ending)
    if (sync !== null) await this.#finish(push, sync, head, position)
    const [only] = made
    const isOne = entities.length === 1 && made.length === 1 && only !== undefined
    return isOne ? { id: idOf(only), written } : NOTHING
  }

  /** Transforms and writes some entities of a request, and notes that they came. */
  async #store(
    entities: readonly Entity[],
    push: Push,
    sync: FullSync | null,
    position: ReadPosition,
    ending: Ending = {},
  ): Promise<Stored> {
    // What goes into the log as bytes is told from there: the values of such a pipe are counted nowhere.
    const schemas = this.#isVerbatim ? undefined : this.#ports.schemas
    const schema = schemas?.open(this.#pipe.id) ?? null
    try {
      return await this.#storeNoted(entities, push, sync, position, ending, schema)
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

  async #storeNoted(
    entities: readonly Entity[],
    push: Push,
    sync: FullSync | null,
    position: ReadPosition,
    ending: Ending,
    schema: PipeSchema | null,
  ): Promise<Stored> {
    const { turn } = this.#ports
    const logger = causedBy(this.#ports.logger, push.cause)
    const context = runContext(this.#pipe, position, { ...this.#ports, logger })
    const system = (id: string) => this.#ports.system(id)
    const all = await transformBatch(this.#pipe, entities, context, { turn, system })
    const made = this.#sink.suppressesFiltered === true ? all.filter((entity) => !isFiltered(entity)) : all
    schema?.note(entities, made, this.#ports.now())
    if (sync !== null) {
      const view = this.#view(position)
      for (const entity of made) {
        const known = isFiltered(entity) ? undefined : view.head(idOf(entity))
        if (known !== undefined) sync.seen.mark(known.sequence)
      }
    }
    const state = schema?.take() ?? []
    return { made, written: await this.#writer(position).write(made, { durable: true, ...ending, state }) }
  }

  #writer(position: ReadPosition): DatasetWriter {
    return new DatasetWriter(
      this.#ports.journal,
      this.#ports.indexes,
      this.#sink.dataset,
      () => this.#view(position).document,
      () => position.moveToPresent(),
      this.#sink.tracksChildren ? () => this.#stored(position) : null,
      this.#sink.rules,
    )
  }

  /** The end of a request whose entities are all stored. Only the last one of a full sync makes the dataset complete. */
  async #finish(push: Push, sync: FullSync | null, head: Head | null, position: ReadPosition): Promise<void> {
    const isLast = sync === null || head === null || push.isLast
    if (!isLast) return this.#save(sync, head)
    if (sync !== null && this.#sink.deletionTracking) {
      const writer = this.#writer(position)
      const write = (gone: readonly Entity[]) => writer.write(gone, { durable: true }, { isOfHub: true })
      await trackDeletions(position, this.#sink, sync.seen, write)
    }
    const own = sync === null || head === null ? [] : this.#seenStore.forgetPages(head, sync.seen)
    const state = sync === null ? [] : [...own, ...this.#takeDropped()]
    await this.#commit({ ...this.#ending(push, isLast, position), state })
  }

  /** How complete the dataset is with the request, and whether it is populated. */
  #ending(push: Push, isComplete: boolean, position: ReadPosition): Ending {
    const completeness = [{ dataset: this.#sink.dataset, value: push.completeness ?? 'now' }] as const
    return { completeness, populated: this.#populated(isComplete, position) }
  }

  #populated(isComplete: boolean, position: ReadPosition): NonNullable<Commit['populated']> {
    const populates = this.#populates(isComplete) && !this.#view(position).document.populated
    return populates ? [[this.#sink.dataset, true]] : []
  }

  /** When what was received makes the dataset a complete first load (hub.md §2.4). */
  #populates(isComplete: boolean): boolean {
    const { populatedWhen } = this.#sink
    if (populatedWhen === 'never') return false
    const isAtOnce = populatedWhen === 'initially' || populatedWhen === 'onload'
    return isComplete || isAtOnce || this.#pipe.source.config.auto_populate_dataset !== false
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
    await this.#commit({ state: [...this.#takeDropped(), ...this.#seenStore.save(head, sync.seen)] })
  }

  /** A failed write ends the sequence without deletion tracking (rest-api.md §7.2 note 4). */
  async #giveUp(sync: FullSync): Promise<void> {
    if (this.#active === sync) this.#drop()
    // When this fails too, what is saved is the sequence before this request, whole.
    await this.#commit({ state: this.#takeDropped() }).catch(() => {})
  }

  /** Ends the sequence that is under way; what is saved of it goes with the next commit. */
  #drop(): void {
    if (this.#active?.head) this.#dropped.push(...this.#seenStore.forgetPages(this.#active.head, this.#active.seen))
    this.#active = null
  }

  /** What is to be deleted of sequences that ended, and the head unless another one has begun. */
  #takeDropped(): StateChanges {
    const pages = this.#dropped.splice(0)
    return this.#active ? pages : [...this.#seenStore.forget(), ...pages]
  }

  /** The sequence that was under way when the hub ended, if nothing it depends on is another. */
  #restored(view: DatasetView, snapshot: Snapshot): FullSync | null {
    const head = this.#seenStore.head(snapshot)
    const isUsable =
      head !== undefined &&
      head.fingerprint === this.#pipe.fingerprint &&
      head.dataset === this.#sink.dataset &&
      head.generation === view.document.generation
    if (isUsable) return { head, seen: this.#seenStore.load(snapshot, head), written: Promise.resolve() }
    if (head !== undefined)
      this.#dropped.push(...this.#seenStore.forgetPages(head, this.#seenStore.load(snapshot, head)))
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

/** The entities of a group; what came before it in the request is kept, and errors say so. */
function partOf(kept: number, read: () => readonly Entity[]): readonly Entity[] {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof PipeError) || kept === 0) throw error
    throw new PipeError(error.code, `${error.message} (After ${kept} entities of the request.)`, {
      details: { ...error.details, kept },
      hint: `The first ${kept} entities of this request were kept.`,
      cause: error,
    })
  }
}

const newSeenSet = (view: DatasetView): SeenSet => new SeenSet(view.document.generation, view.counts().end)

const conflict = (message: string): PipeError =>
  new PipeError('push-conflict', message, { hint: 'Start the full sync over with a new sequence_id.' })
