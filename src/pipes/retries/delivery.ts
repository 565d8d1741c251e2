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
import type { Entity } from '../../model/entity.ts'
import { blame } from '../blame.ts'
import { PipeError } from '../errors.ts'
import { errorCode, errorProperties, isUnreachable } from '../execution/event.ts'
import type { Lack, Output, Reached } from '../output.ts'
import type { Run } from '../run.ts'
import { BATCH_BYTES } from '../sources/batch-bounds.ts'
import type { OffsetChanges } from '../tracking/book.ts'
import { transformBatch, transformParts } from '../transform-batch.ts'
import { endsRun, isPassing, statusOf } from './kinds.ts'
import { delayMs, pause } from './pause.ts'
import { canWait, type Pending } from './queue.ts'
import { keepsPending, type Patience, patienceFor, type RetryStrategy } from './settings.ts'
import { Waiting } from './waiting.ts'

export class Delivery {
  readonly #run: Run
  readonly #output: Output
  readonly #signal: AbortSignal
  readonly #strategy: RetryStrategy | null
  readonly #waiting: Waiting
  /** Entities that fail are kept, so each batch is stored before the next is read. */
  readonly #isKeeping: boolean
  #consecutive = 0

  constructor(run: Run, output: Output, signal: AbortSignal) {
    const { pipe, ports } = run
    const system = pipe.sink.kind === 'external' ? pipe.sink.system : undefined
    this.#run = run
    this.#output = output
    this.#signal = signal
    this.#strategy = system === undefined ? null : (ports.system(system).retryStrategy ?? null)
    this.#waiting = new Waiting(run)
    this.#isKeeping = !this.#waiting.isEmpty || keepsPending(pipe.errors.retries.patience, this.#strategy)
  }

  /** What waits is tried again, before anything newer is read. */
  async retry(): Promise<void> {
    try {
      for (const pending of this.#waiting.all()) {
        if (this.#signal.aborted) return
        this.#run.log.happened()
        await this.#retryOne(pending)
        this.#run.position.moveToPresent()
      }
    } finally {
      await this.#waiting.save()
    }
  }

  /** What the run lacks of what it was to write, once all was tried. */
  get lack(): Lack {
    return this.#waiting.lack
  }

  /** After a read of everything: what waits and did not come is not there any more. */
  forgetGone(): Promise<void> {
    return this.#waiting.forgetGone()
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
    const fresh = this.#isKeeping ? await this.#waiting.fresh(entities) : entities
    const noted: Write = async (all) => {
      this.#run.toNote(entities, all)
      await write(all)
      this.#run.note()
    }
    if (await this.#whole(fresh, noted)) return this.#succeeded(fresh)
    try {
      await this.#inParts(fresh)
    } finally {
      await this.#waiting.save()
    }
    await this.#stored(noted([]))
  }

  /**
   * Whether all was made and written; otherwise it is to be taken apart. Of very much the parts are stored as they are made,
   * and how far the source is with the last of them: until then they are made again.
   */
  async #whole(entities: readonly Entity[], write: Write): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      const made = this.#made(entities)
      let last: readonly Entity[] | null = null
      let failure: unknown = null
      for (let isOver = false; !isOver; ) {
        const next = await made.next().catch((error: unknown) => {
          failure = error
          return null
        })
        if (next === null || next.done === true) isOver = true
        else {
          if (last !== null && !(await this.#partWritten(entities, last))) return false
          last = next.value
        }
      }
      if (failure === null) return this.#writtenWhole(entities, last ?? [], write)
      if (last === null && (await this.#mayPass(failure, attempt))) continue
      if (!this.#mayTakeApart(failure)) throw failure
      return false
    }
  }

  async #partWritten(entities: readonly Entity[], part: readonly Entity[]): Promise<boolean> {
    try {
      return await this.#writtenWhole(entities, part, (made) => this.#putNoted(made))
    } catch (error) {
      if (!this.#mayTakeApart(error)) throw error
      return false
    }
  }

  #mayTakeApart(error: unknown): boolean {
    return this.#isKeeping && this.#run.pipe.errors.retries.fallsBackToSingles && !this.#ends(error)
  }

  /** Whether a system that a transform asks may answer now, after a pause. */
  async #mayPass(error: unknown, attempt: number): Promise<boolean> {
    const { batchRetries, writeRetryDelayMs } = this.#patience(error)
    if (this.#ends(error) || !isPassing(error) || attempt > batchRetries) return false
    this.#run.tally.writeErrors++
    this.#run.log.happened()
    await this.#pause(writeRetryDelayMs, attempt, error)
    return true
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
        this.#run.dropNotes()
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
      for await (const made of this.#made(entities)) await this.#put(made)
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
      this.#waiting.tellLost(entity, error)
      throw this.#stop(error, why, patience)
    }
    const waited = this.#waiting.waited(entity)
    this.#waiting.keep(entity, error, patience)
    await this.#goOn(error, waited, patience)
  }

  async #retryOne(pending: Pending): Promise<void> {
    const error = await this.#tried(pending.entity)
    if (error === null) {
      this.#consecutive = 0
      this.#run.tally.succeeded++
      return this.#waiting.writtenAtLast(pending)
    }
    const patience = this.#patience(error)
    this.#waiting.failAgain({ ...pending, attempts: pending.attempts + 1 }, error, patience)
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
    const parts: (readonly Entity[])[] = []
    let isMade = false
    try {
      for await (const part of this.#made([entity])) parts.push(part)
      isMade = true
      for (const part of parts) await this.#put(part)
      return null
    } catch (error) {
      blame(error, entity)
      if (this.#ends(error)) throw error
      if (isMade) this.#output.misses(parts.flat())
      this.#run.tally.failed++
      this.#run.tally.writeErrors++
      if (canWait(entity)) this.#waiting.noteFailed(entity, !isMade)
      return error as Error
    }
  }

  async #succeeded(entities: readonly Entity[]): Promise<void> {
    this.#consecutive = 0
    this.#run.tally.succeeded += entities.length
    await this.#waiting.written(entities)
  }

  /** Why it cannot be kept to be retried, or null. */
  #whyLost(entity: Entity, patience: Patience): Stop | null {
    if (patience.maxPending === 0) return 'not-kept'
    if (!canWait(entity)) return 'nameless'
    return this.#waiting.isFullFor(entity, patience) ? 'full' : null
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

  /** What the transforms make, in parts of bounded size; one at least. */
  async *#made(entities: readonly Entity[]): AsyncGenerator<readonly Entity[]> {
    const { pipe, context, tally, ports, trace } = this.#run
    const bytes = ports.batchBytes ?? BATCH_BYTES
    const options = { signal: this.#signal, turn: ports.turn, system: (id: string) => ports.system(id) }
    const one = (some: readonly Entity[]) => transformBatch(pipe, some, context, options)
    const parts =
      trace === null ? transformParts(pipe, entities, context, { ...options, bytes }) : trace.made(entities, one, bytes)
    let seconds = 0
    let begin = performance.now()
    const stop = () => {
      const took = (performance.now() - begin) / 1000
      seconds += took
      tally.transformSeconds += took
    }
    for await (const part of parts) {
      stop()
      yield part
      begin = performance.now()
    }
    stop()
    const limit = pipe.errors.maxSecondsPerEntity
    if (limit !== null && seconds > limit * entities.length) throw tooSlow(entities, seconds, limit)
  }

  #put(made: readonly Entity[]): Promise<void> {
    return this.#timed(this.#putNoted(made))
  }

  async #putNoted(made: readonly Entity[]): Promise<void> {
    await this.#output.put(made)
    this.#run.toNote([], made)
    this.#run.note()
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
