/** What of a run waits to be retried, before it, after it and because of it: on disk, in the dead letters and in the log (hub.md §8). */

import { type Entity, idOf } from '../../model/entity.ts'
import { errorCode, errorProperties } from '../execution/event.ts'
import type { Lack } from '../output.ts'
import type { Run } from '../run.ts'
import { type Dead, DeadLetters } from './dead-letters.ts'
import { canWait, hashOf, type Pending, pendingCount, RetryQueue } from './queue.ts'
import type { Patience } from './settings.ts'

export class Waiting {
  readonly #run: Run
  readonly #queue: RetryQueue
  readonly #letters: DeadLetters | null
  readonly #dead: Dead[] = []
  /** What failed in this run, by id: the hash of what it was. It is not tried again in the same run. */
  readonly #failed = new Map<string, string>()
  /** Of these, the ones that no program could make anything of. */
  readonly #unmade = new Set<string>()
  /** Of those that wait, the ones that the source gave in this run. */
  readonly #given = new Set<string>()
  /** What waited until a later version took its place in this run. */
  readonly #replaced = new Map<string, Pending>()

  constructor(run: Run) {
    const { deadLetters } = run.pipe.errors
    this.#run = run
    this.#queue = new RetryQueue(run.pipe.id, run.snapshot)
    this.#letters = deadLetters === null ? null : new DeadLetters(run, deadLetters)
    run.pending = this.#queue.size
  }

  get isEmpty(): boolean {
    return this.#queue.size === 0
  }

  /** Those that waited when it was asked. */
  all(): Iterable<Pending> {
    return this.#queue.all(this.#run.present)
  }

  /** As many wait as may, and this is none of them. */
  isFullFor(entity: Entity, { maxPending }: Patience): boolean {
    return this.#queue.size >= maxPending && this.#queue.get(idOf(entity)) === undefined
  }

  /** What the run lacks of what it was to write, once all was tried. */
  get lack(): Lack {
    if (this.#unmade.size > 0) return 'unknown'
    return this.#failed.size > 0 ? 'some' : 'nothing'
  }

  /** After a read of everything: what waits and did not come is not there any more. */
  async forgetGone(): Promise<void> {
    for (const pending of this.all()) {
      if (this.#given.has(pending.id) || this.#failed.has(pending.id)) continue
      this.#queue.remove(pending.id)
      this.#tell(pending, { retryable: false, resolved: false, dead: false })
    }
    await this.save()
  }

  /** Without what failed in this run already; later versions of what waits take its place there. */
  async fresh(entities: readonly Entity[]): Promise<readonly Entity[]> {
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
    await this.save()
    return fresh
  }

  #replace(id: string, later: Pending): void {
    const former = this.#queue.stored(id, this.#run.snapshot)
    if (former !== undefined && !this.#replaced.has(id)) this.#replaced.set(id, former)
    this.#queue.put(later)
  }

  /** Whether this version of it waited before the run; any other fails for the first time. */
  waited(entity: Entity): boolean {
    const id = idOf(entity)
    return this.#queue.get(id)?.hash === hashOf(entity) && this.#given.has(id) && !this.#replaced.has(id)
  }

  /** `isUnmade`: no program could make anything of it. */
  noteFailed(entity: Entity, isUnmade: boolean): void {
    this.#failed.set(idOf(entity), hashOf(entity))
    if (isUnmade) this.#unmade.add(idOf(entity))
    else this.#unmade.delete(idOf(entity))
  }

  /** It waits from now on, unless it waited too often. */
  keep(entity: Entity, error: Error, patience: Patience): void {
    const id = idOf(entity)
    const attempts = this.waited(entity) ? (this.#queue.get(id)?.attempts ?? 0) + 1 : 0
    this.failAgain({ id, entity, hash: hashOf(entity), attempts }, error, patience)
  }

  /** It was tried so often in vain. */
  failAgain(pending: Pending, error: Error, { maxRetriesPerEntity }: Patience): void {
    const isDead = pending.attempts > maxRetriesPerEntity
    if (isDead) {
      this.#queue.remove(pending.id)
      if (this.#letters !== null) this.#dead.push({ ...pending, error })
    } else this.#queue.put(pending)
    this.#tell(pending, { retryable: !isDead, resolved: false, dead: isDead }, error)
  }

  /** These were written: what waited of their ids is done with. */
  async written(entities: readonly Entity[]): Promise<void> {
    if (this.#failed.size > 0) for (const entity of entities) if (canWait(entity)) this.#noteWritten(idOf(entity))
    if (this.#queue.size > 0) {
      for (const entity of entities) if (canWait(entity)) this.#overtake(entity)
      await this.save()
    }
    await this.#letters?.void(entities.filter(canWait).map(idOf))
  }

  /** It was written as it waited. */
  async writtenAtLast(pending: Pending): Promise<void> {
    this.#resolve(pending, null)
    this.#noteWritten(pending.id)
    await this.#letters?.void([pending.id])
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
  async save(): Promise<void> {
    const state = this.#queue.changes(this.#run.latest().snapshot)
    const dead = this.#dead.splice(0)
    if (this.#letters !== null && dead.length > 0) await this.#letters.write(dead, state)
    else if (state.length > 0) await this.#run.commit({ state })
    this.#run.pending = pendingCount(this.#run.pipe.id, this.#run.latest().snapshot)
    await this.#run.log.flush()
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

  /** It failed, and nobody will try it again. */
  tellLost(entity: Entity, error: Error): void {
    const id = canWait(entity) ? idOf(entity) : this.#run.ports.uuid()
    this.#tell({ id, entity, attempts: 0 }, { retryable: false, resolved: false, dead: false }, error)
  }
}
