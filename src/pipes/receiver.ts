/** Takes in what is pushed to a receiver pipe: the server's side of JSON Push (rest-api.md §7). */

import type { RunContext } from '../dtl/contract.ts'
import { newDict } from '../model/dict.ts'
import { idOf } from '../model/entity.ts'
import { DatasetWriter } from './dataset-writer.ts'
import { trackDeletions } from './deletion-tracking.ts'
import { PipeError } from './errors.ts'
import { lookupAt } from './lookup.ts'
import type { Pipe, PipeSink } from './pipe.ts'
import { ReadPosition } from './position.ts'
import type { RunPorts } from './pump.ts'
import { parsePush } from './sources/http-endpoint.ts'
import { isFiltered, transformBatch } from './transform-batch.ts'

/** Parameters of one request (rest-api.md §7.1). */
export interface Push {
  readonly sequenceId?: string
  readonly isFull: boolean
  readonly requestId?: string
  readonly previousRequestId?: string
  readonly isFirst: boolean
  readonly isLast: boolean
  readonly completeness?: number
}

/** A full sync under way. It lives in memory: after a restart its next request is a conflict, and the sender starts over. */
interface FullSync {
  readonly sequenceId: string | null
  lastRequestId: string | null
  readonly seen: Set<string>
}

export class Receiver {
  readonly #pipe: Pipe
  readonly #ports: RunPorts
  readonly #sink: PipeSink & { kind: 'dataset' }
  #active: FullSync | null = null

  constructor(pipe: Pipe, ports: RunPorts) {
    if (pipe.sink.kind !== 'dataset') {
      throw new PipeError('not-a-receiver', `Pipe '${pipe.id}' receives, but its sink is not a dataset.`)
    }
    this.#pipe = pipe
    this.#ports = ports
    this.#sink = pipe.sink
  }

  /** Resolves when the entities are on disk. Requests that arrive together share a transaction. */
  async take(body: Uint8Array, push: Push): Promise<void> {
    const entities = parsePush(body, this.#pipe.source.config)
    const sync = this.#advance(push)
    const position = new ReadPosition(this.#ports.log.snapshot())
    try {
      const context: RunContext = {
        lookup: lookupAt(position, this.#ports.found),
        now: () => BigInt(this.#ports.now()) * 1_000_000n,
        uuid: this.#ports.uuid,
        bound: newDict(),
      }
      const made = transformBatch(this.#pipe, entities, context)
      const { dataset } = this.#sink
      const writer = new DatasetWriter(
        this.#ports.journal,
        this.#ports.indexes,
        dataset,
        () => {
          let view = position.snapshot.dataset(dataset)
          if (view === undefined) {
            position.moveToPresent()
            view = position.snapshot.dataset(dataset)
          }
          if (view === undefined) throw new PipeError('dataset-gone', `The dataset '${dataset}' was deleted.`)
          return view.document
        },
        () => position.moveToPresent(),
      )
      if (sync !== null) for (const entity of made) if (!isFiltered(entity)) sync.seen.add(idOf(entity))
      await writer.write(made, { durable: true, completeness: this.#completeness(push) })
      if (sync !== null && push.isLast) {
        await trackDeletions(position, this.#sink, sync.seen, (gone) => writer.write(gone, { durable: true }, true))
      }
    } catch (error) {
      // A failed write ends the sequence without deletion tracking (rest-api.md §7.2 note 4).
      if (sync !== null && this.#active === sync) this.#active = null
      throw error
    } finally {
      position.close()
    }
  }

  #completeness(push: Push): readonly (readonly [string, number])[] {
    return [[this.#sink.dataset, push.completeness ?? this.#ports.now() * 1000]]
  }

  /** The state machine of rest-api.md §7.2; gives the full sync this request belongs to, or null. */
  #advance(push: Push): FullSync | null {
    const active = this.#active
    if (!push.isFull) {
      if (active !== null && active.sequenceId !== null && push.sequenceId === active.sequenceId) {
        throw conflict(`Sequence ${push.sequenceId} is a full sync; this request says it is not.`)
      }
      return null
    }
    if (push.sequenceId === undefined) {
      // A request without a sequence is one of its own, first and last at once.
      return { sequenceId: null, lastRequestId: null, seen: new Set() }
    }
    if (active === null || push.sequenceId !== active.sequenceId) {
      if (push.previousRequestId !== undefined) {
        throw conflict(`The sequence ${push.sequenceId} is not known here (any more).`)
      }
      const sync: FullSync = { sequenceId: push.sequenceId, lastRequestId: push.requestId ?? null, seen: new Set() }
      this.#active = push.isLast ? null : sync
      return sync
    }
    if (push.isFirst) throw conflict(`The sequence ${push.sequenceId} has begun already.`)
    if ((push.previousRequestId ?? null) !== active.lastRequestId) {
      throw conflict(`The request before should have been ${active.lastRequestId}, not ${push.previousRequestId}.`)
    }
    active.lastRequestId = push.requestId ?? null
    if (push.isLast) this.#active = null
    return active
  }
}

const conflict = (message: string): PipeError =>
  new PipeError('push-conflict', message, { hint: 'Start the full sync over with a new sequence_id.' })
