/** Compactions and erasures on a pump thread: with what is known there of the readers, and so that they can be stopped. */

import { randomUUID } from 'node:crypto'
import type { Pipe } from '../../pipes/pipe.ts'
import { type CompactionOccasion, Compactor } from '../compactor.ts'
import { eraseEntity } from '../erasure.ts'
import type { Readers } from '../readers.ts'
import type { PumpingCore } from './core.ts'

type Projected = Readonly<Record<string, number>>

export class Compactions {
  readonly #core: PumpingCore
  readonly #compactor: Compactor
  /** Of which pipe each is that is under way. */
  readonly #underWay = new Map<AbortController, string>()

  constructor(core: PumpingCore) {
    this.#core = core
    this.#compactor = new Compactor(core.journal, core.log, Date.now, core.closing.signal)
  }

  /** Gives how many versions went from the pipe's dataset; one that is stopped goes on where it was the next time. */
  async compact(id: string, occasion: CompactionOccasion, projected: Projected): Promise<number> {
    const pipe = this.#core.pipe(id)
    const abort = new AbortController()
    this.#underWay.set(abort, id)
    try {
      return await this.#compactor.compactFor(pipe, occasion, this.#readers(projected), abort.signal)
    } catch (error) {
      if (abort.signal.aborted || this.#core.closing.signal.aborted) return 0
      throw error
    } finally {
      this.#underWay.delete(abort)
    }
  }

  stop(pipe: string): void {
    for (const [compaction, id] of this.#underWay) if (id === pipe) compaction.abort()
  }

  /** Gives how many versions went. */
  trim(dataset: string, hours: number, projected: Projected): Promise<number> {
    return this.#compactor.trim(dataset, hours, this.#readers(projected), this.#core.closing.signal)
  }

  async settle(dataset: string, projected: Projected): Promise<void> {
    await this.#compactor.settle(dataset, this.#readers(projected), this.#core.closing.signal)
  }

  /** Gives how many versions were erased. */
  async erase(dataset: string, id: string, projected: Projected): Promise<number> {
    const { journal, log } = this.#core
    const erased = await eraseEntity({ journal, log, now: Date.now, uuid: randomUUID }, dataset, id)
    await this.settle(dataset, projected)
    return erased
  }

  relieve(pipe: string): Promise<void> {
    return this.#compactor.relieve(this.#core.pipe(pipe), this.#readers({}))
  }

  /** What was written is stored: a compaction that fails is told, and is no failure of the writer. */
  async awaitRelief(pipe: Pipe): Promise<void> {
    if (!this.#compactor.isNeeded(pipe)) return
    try {
      await this.#core.pool.relieve({ tenant: this.#core.name, pipe: pipe.id })
    } catch (error) {
      if (this.#core.closing.signal.aborted) return
      this.#core.logger(pipe.id).error(`The compaction of the dataset failed: ${(error as Error).message}`)
    }
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    return this.#compactor.idle()
  }

  #readers(projected: Projected): Readers {
    const { deployment } = this.#core
    return { pipes: deployment?.pipes ?? new Map(), isRunning: (pipe) => this.#core.isRunning(pipe), projected }
  }
}
