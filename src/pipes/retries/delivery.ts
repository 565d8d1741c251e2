/**
 * Brings what a source gave through the transforms into the sink, and deals with what fails on the way: a batch is tried
 * again, then taken apart, and single entities wait for the next runs until they are written or given up (hub.md §8).
 *
 * What waits is an entity of the source, not what was made of it: it is transformed anew, with what there is to join by
 * then. Before a later version of one that waits is written, it takes the place of the former, so whatever happens, an
 * older version is never written after a newer one.
 */

import { performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { type Entity, idOf } from '../../model/entity.ts'
import { blame } from '../blame.ts'
import { PipeError } from '../errors.ts'
import { errorCode, errorProperties, isUnreachable } from '../execution/event.ts'
import type { Lack, Output, Reached } from '../output.ts'
import type { Run } from '../run.ts'
import type { OffsetChanges } from '../tracking/book.ts'
import { transformBatch } from '../transform-batch.ts'
import { type Dead, DeadLetters } from './dead-letters.ts'
import { endsRun, statusOf } from './kinds.ts'
import { delayMs, pause } from './pause.ts'
import { canWait, hashOf, type Pending, RetryQueue } from './queue.ts'
import { keepsPending, type Patience, patienceFor, type RetryStrategy } from './settings.ts'

export class Delivery {
  readonly #run: Run
  readonly #output: Output
  readonly #signal: AbortSignal
  readonly #strategy: RetryStrategy | null
  readonly #queue: RetryQueue
  readonly #letters: DeadLetters | null
  /** Entities that fail are kept, so each batch is stored before the next is read. */
  readonly #isKeeping: boolean
  readonly #dead: Dead[] = []
  /** What failed in this run, by id: the hash of what it was. It is not tried again in the same run. */
  readonly #failed = new Map<string, string>()
  /** Of these, the ones that no program could make anything of. */
  readonly #unmade = new Set<string>()
  /** Of those that wait, the ones that the source gave in this run. */
  readonly #given = new Set<string>()
  /** What waited until a later version took its place in this run. */
  readonly #replaced = new Map<string, Pending>()
  #consecutive = 0

  constructor(run: Run, output: Output, signal: AbortSignal) {
    const { pipe, ports, snapshot } = run
    const { retries, deadLetters } = pipe.errors
    const system = pipe.sink.kind === 'external' ? pipe.sink.system : undefined
    this.#run = run
    this.#output = output
    this.#signal = signal
    this.#strategy = system === undefined ? null : (ports.system(system).retryStrategy ?? null)
    this.#queue = new RetryQueue(pipe.id, snapshot)
    this.#letters = deadLetters === null ? null : new DeadLetters(run, deadLetters)
    this.#isKeeping = this.#queue.size > 0 || keepsPending(retries.patience, this.#strategy)
    run.pending = this.#queue.size
  }

  /** What waits is tried again, before anything newer is read. */
  async retry(): Promise<void> {
    try {
      for (const pending of this.#queue.all(this.#run.present)) {
        if (this.#signal.aborted) return
        this.#run.log.happened()
        await this.#retryOne(pending)
        this.#run.position.moveToPresent()
      }
    } finally {
      await this.#save()
    }
  }

  /** What the source gave, and how far it is with it. */
  deliver(entities: readonly Entity[], reached: Reached): Promise<void> {
    this.#run.tally.read += reached.read
    return this.#deliver(entities, (made) => this.#output.write(made, reached))
  }

  /** What depends on changes elsewhere, and offsets that are saved with it. */
  deliverAgain(entities: readonly Entity[], offsets: OffsetChanges): Promise<void> {
    return this.#deliver(entities, (made) => this.#output.writeAgain(made, offsets))
  }

  async #deliver(entities: readonly Entity[], write: Write): Promise<void> {
    const fresh = this.#isKeeping ? await this.#fresh(entities) : entities
    const made = await this.#transformed(fresh)
    if (made !== null && (await this.#writtenWhole(fresh, made, write))) return this.#succeeded(fresh)
    try {
      await this.#inParts(fresh)
    } finally {
      await this.#save()
    }
    await this.#stored(write([]))
  }

  /** What the run lacks of what it was to write, once all was tried. */
  get lack(): Lack {
    if (this.#unmade.size > 0) return 'unknown'
    return this.#failed.size > 0 ? 'some' : 'nothing'
  }

  /** After a read of everything: what waits and did not come is not there any more. */
  async forgetGone(): Promise<void> {
    for (const pending of this.#queue.all(this.#run.present)) {
      if (this.#given.has(pending.id) || this.#failed.has(pending.id)) continue
      this.#queue.remove(pending.id)
      this.#tell(pending, { retryable: false, resolved: false, dead: false })
    }
    await this.#save()
  }

  /** Without what failed in this run already; later versions of what waits take its place there. */
  async #fresh(entities: readonly Entity[]): Promise<readonly Entity[]> {
    if (this.#queue.size === 0) return entities
    const fresh: Entity[] = []
    for (const entity of entities) {
      const known = canWait(entity) ? this.#queue.get(idOf(entity)) : undefined
      if (known === undefined) {
        fresh.push(entity)
        continue
      }
      this.#given.add(known.id)
      const hash = hashOf(entity)
      if (this.#failed.get(known.id) === hash) continue
      if (hash !== known.hash) this.#replace(known.id, { id: known.id, entity, hash, attempts: 0 })
      fresh.push(entity)
    }
    await this.#save()
    return fresh
  }

  #replace(id: string, later: Pending): void {
    const former = this.#queue.stored(id, this.#run.snapshot)
    if (former !== undefined && !this.#replaced.has(id)) this.#replaced.set(id, former)
    this.#queue.put(later)
  }

  /** Null: one of them failed, and they are to be taken one by one. */
  async #transformed(entities: readonly Entity[]): Promise<readonly Entity[] | null> {
    try {
      return await this.#transform(entities)
    } catch (error) {
      if (!this.#isKeeping || !this.#run.pipe.errors.retries.fallsBackToSingles || this.#ends(error)) throw error
      return null
    }
  }

  /** Whether all was written; otherwise it is to be taken apart. */
  async #writtenWhole(entities: readonly Entity[], made: readonly Entity[], write: Write): Promise<boolean> {
    const { pipe, log, tally } = this.#run
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#stored(write(made))
        return true
      } catch (error) {
        if (this.#ends(error) || (this.#output.isTransactional && !this.#isKeeping)) throw error
        tally.writeErrors++
        log.happened()
        const { batchRetries, writeRetryDelayMs } = this.#patience(error)
        // What is refused by the dataset for one of its entities is refused again.
        if (!this.#output.isTransactional && attempt <= batchRetries) {
          await this.#pause(writeRetryDelayMs, attempt, error)
          continue
        }
        this.#tellBatch(entities.length, error as Error)
        if (!pipe.errors.retries.fallsBackToSingles) throw error
        return false
      }
    }
  }

  /** Halves of what a transactional sink takes as a whole or not at all, down to single entities; single ones at once for others. */
  async #inParts(entities: readonly Entity[]): Promise<void> {
    const size = this.#output.isTransactional ? Math.ceil(entities.length / 2) : 1
    for (let at = 0; at < entities.length; at += size) {
      this.#signal.throwIfAborted()
      const part = entities.slice(at, at + size)
      if (part.length === 1) await this.#single(part[0] as Entity)
      else if (!(await this.#part(part))) await this.#inParts(part)
    }
  }

  async #part(entities: readonly Entity[]): Promise<boolean> {
    try {
      await this.#put(await this.#transform(entities))
    } catch (error) {
      if (this.#ends(error)) throw error
      return false
    }
    await this.#succeeded(entities)
    return true
  }

  async #single(entity: Entity): Promise<void> {
    const error = await this.#tried(entity)
    if (error === null) return this.#succeeded([entity])
    const patience = this.#patience(error)
    const why = this.#whyLost(entity, patience)
    if (why !== null) {
      this.#tellLost(entity, error)
      throw this.#stop(error, why, patience)
    }
    const waited = this.#waited(entity)
    this.#keep(entity, error, patience, waited)
    await this.#goOn(error, waited, patience)
  }

  async #retryOne(pending: Pending): Promise<void> {
    const error = await this.#tried(pending.entity)
    if (error === null) {
      this.#consecutive = 0
      this.#run.tally.succeeded++
      this.#resolve(pending, null)
      this.#noteWritten(pending.id)
      await this.#letters?.void([pending.id])
      return
    }
    const patience = this.#patience(error)
    this.#failAgain({ ...pending, attempts: pending.attempts + 1 }, error, patience)
    await this.#goOn(error, true, patience)
  }

  /** After an entity that is kept, unless too many failed one after the other. */
  async #goOn(error: Error, waited: boolean, patience: Patience): Promise<void> {
    // That one failed which failed before is no news; that nothing gets through is, and holds for all that comes after it.
    if (waited && !isUnreachable(error)) return
    this.#consecutive++
    if (this.#consecutive >= patience.maxConsecutiveWriteErrors) throw this.#stop(error, 'consecutive', patience)
    await this.#pause(patience.writeRetryDelayMs, this.#consecutive, error)
  }

  /** The error, if there was one that is about this entity. */
  async #tried(entity: Entity): Promise<Error | null> {
    let made: readonly Entity[] | null = null
    try {
      made = await this.#transform([entity])
      await this.#put(made)
      return null
    } catch (error) {
      blame(error, entity)
      if (this.#ends(error)) throw error
      if (made !== null) this.#output.misses(made)
      this.#run.tally.failed++
      this.#run.tally.writeErrors++
      if (canWait(entity)) this.#noteFailed(entity, made === null)
      return error as Error
    }
  }

  /** Whether this version of it waited before the run; any other fails for the first time. */
  #waited(entity: Entity): boolean {
    const id = idOf(entity)
    return this.#queue.get(id)?.hash === hashOf(entity) && this.#given.has(id) && !this.#replaced.has(id)
  }

  #noteFailed(entity: Entity, isUnmade: boolean): void {
    this.#failed.set(idOf(entity), hashOf(entity))
    if (isUnmade) this.#unmade.add(idOf(entity))
    else this.#unmade.delete(idOf(entity))
  }

  /** It waits from now on, unless it waited too often. */
  #keep(entity: Entity, error: Error, patience: Patience, waited: boolean): void {
    const id = idOf(entity)
    const attempts = waited ? (this.#queue.get(id)?.attempts ?? 0) + 1 : 0
    this.#failAgain({ id, entity, hash: hashOf(entity), attempts }, error, patience)
  }

  #failAgain(pending: Pending, error: Error, { maxRetriesPerEntity }: Patience): void {
    const isDead = pending.attempts > maxRetriesPerEntity
    if (isDead) {
      this.#queue.remove(pending.id)
      if (this.#letters !== null) this.#dead.push({ ...pending, error })
    } else this.#queue.put(pending)
    this.#tell(pending, { retryable: !isDead, resolved: false, dead: isDead }, error)
  }

  async #succeeded(entities: readonly Entity[]): Promise<void> {
    this.#consecutive = 0
    this.#run.tally.succeeded += entities.length
    if (this.#failed.size > 0) for (const entity of entities) if (canWait(entity)) this.#noteWritten(idOf(entity))
    if (this.#queue.size > 0) {
      for (const entity of entities) if (canWait(entity)) this.#overtake(entity)
      await this.#save()
    }
    await this.#letters?.void(entities.filter(canWait).map(idOf))
  }

  #noteWritten(id: string): void {
    this.#failed.delete(id)
    this.#unmade.delete(id)
  }

  /** It was written, so what waited of its id is done with. */
  #overtake(written: Entity): void {
    const known = this.#queue.get(idOf(written))
    if (known === undefined) return
    const former = this.#replaced.get(known.id)
    this.#replaced.delete(known.id)
    if (former === undefined) this.#resolve({ ...known, entity: written }, null)
    else this.#resolve(former, written)
  }

  /** `later`: the version that was written in its place. */
  #resolve(pending: Pick<Pending, 'id' | 'entity' | 'attempts'>, later: Entity | null): void {
    this.#queue.remove(pending.id)
    this.#tell(pending, { retryable: false, resolved: true, dead: false }, null, later)
  }

  /** All that changed in what waits is stored, with the letters of the dead; then the log tells of it. */
  async #save(): Promise<void> {
    const state = this.#queue.changes()
    const dead = this.#dead.splice(0)
    if (this.#letters !== null && dead.length > 0) await this.#letters.write(dead, state)
    else if (state.length > 0) await this.#run.commit({ state })
    this.#run.pending = this.#queue.size
    await this.#run.log.flush()
  }

  /** Why it cannot be kept to be retried, or null. */
  #whyLost(entity: Entity, { maxPending }: Patience): Stop | null {
    if (maxPending === 0) return 'not-kept'
    if (!canWait(entity)) return 'nameless'
    return this.#queue.size >= maxPending && this.#queue.get(idOf(entity)) === undefined ? 'full' : null
  }

  #stop(error: Error, why: Stop, { maxPending }: Patience): Error {
    this.#run.whyStopped = {
      'not-kept':
        'An entity could not be written, and max_write_errors_in_retry_dataset says that none is kept to be retried.',
      nameless: 'An entity could not be written, and without an _id it cannot be kept to be retried.',
      full: `An entity could not be written, and ${maxPending} wait to be retried already (max_write_errors_in_retry_dataset).`,
      consecutive: `${this.#consecutive} entities in a row could not be written (max_consecutive_write_errors).`,
    }[why]
    return error
  }

  async #transform(entities: readonly Entity[]): Promise<readonly Entity[]> {
    const { pipe, context, tally, ports, trace } = this.#run
    const begin = performance.now()
    const options = { signal: this.#signal, turn: ports.turn }
    const make = (some: readonly Entity[]) => transformBatch(pipe, some, context, options)
    const made = await (trace === null ? make(entities) : trace.made(entities, make))
    const seconds = (performance.now() - begin) / 1000
    tally.transformSeconds += seconds
    const limit = pipe.errors.maxSecondsPerEntity
    if (limit !== null && seconds > limit * entities.length) throw tooSlow(entities, seconds, limit)
    return made
  }

  #put(made: readonly Entity[]): Promise<void> {
    return this.#timed(this.#output.put(made))
  }

  /** Where entities are kept it is known at once whether a batch was stored. */
  #stored(written: Promise<void>): Promise<void> {
    return this.#timed(this.#isKeeping ? written.then(() => this.#output.flush()) : written)
  }

  async #timed(work: Promise<void>): Promise<void> {
    const begin = performance.now()
    try {
      await work
    } finally {
      this.#run.tally.sinkSeconds += (performance.now() - begin) / 1000
    }
  }

  #ends(error: unknown): boolean {
    return this.#signal.aborted || endsRun(error)
  }

  #patience(error: unknown): Patience {
    return patienceFor(this.#run.pipe.errors.retries.patience, this.#strategy, statusOf(error))
  }

  #pause(configuredMs: number, failures: number, error: unknown): Promise<void> {
    const { backoff } = this.#run.pipe.errors.retries
    return pause(delayMs(backoff, configuredMs, failures, error), this.#signal)
  }

  #tell(
    { id, entity, attempts }: Pick<Pending, 'id' | 'entity' | 'attempts'>,
    becomes: { readonly retryable: boolean; readonly resolved: boolean; readonly dead: boolean },
    error: Error | null = null,
    later: Entity | null = null,
  ): void {
    const properties = {
      ...(error === null ? {} : { error_code: errorCode(error), ...errorProperties(error) }),
      retry_attempts: attempts,
      ...becomes,
      entity,
      ...(later === null ? {} : { resolved_entity: later }),
    }
    this.#run.log.add('write-error', properties, id)
  }

  #tellLost(entity: Entity, error: Error): void {
    const id = canWait(entity) ? idOf(entity) : this.#run.ports.uuid()
    this.#tell({ id, entity, attempts: 0 }, { retryable: false, resolved: false, dead: false }, error)
  }

  #tellBatch(entities: number, error: Error): void {
    const properties = { error_code: errorCode(error), entities, ...errorProperties(error) }
    this.#run.log.add('batch-write-error', properties, this.#run.ports.uuid())
  }
}

/** Writes what was made of a batch, together with how far the run is with it. */
type Write = (made: readonly Entity[]) => Promise<void>

/** Why a run ends with an entity that failed. */
type Stop = 'not-kept' | 'nameless' | 'full' | 'consecutive'

/** What is on the heap of this thread. */
export const heapBytes = (): number => getHeapStatistics().used_heap_size

function tooSlow(entities: readonly Entity[], seconds: number, limit: number): PipeError {
  const error = new PipeError(
    'too-slow',
    `The transforms took ${seconds.toFixed(3)} s for ${entities.length} entities, more than ${limit} s for each.`,
    { hint: 'Look at what the program reads for them, or raise max_seconds_per_entity.' },
  )
  if (entities[0] !== undefined) blame(error, entities[0])
  return error
}
