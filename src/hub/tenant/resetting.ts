/** Lets the pipes of a tenant begin from nothing: where they were is forgotten, and what they wrote is deleted (rest-api.md §8.3). */

import { besideRun } from '../../pipes/beside/beside.ts'
import { sourceOffset } from '../../pipes/full-run.ts'
import { isReceiver, type Pipe } from '../../pipes/pipe.ts'
import { forgetState, statePrefix } from '../../pipes/state.ts'
import { trackingForgotten } from '../../pipes/tracking/offsets.ts'
import { withSnapshot } from '../datasets.ts'
import type { Scheduler } from '../scheduler.ts'
import type { TenantConfiguration } from './configuration.ts'
import type { TenantCore } from './core.ts'
import { forgetting } from './forgetting.ts'
import type { TenantIndexes } from './indexes.ts'

export interface WasReset {
  readonly pipes: number
  readonly datasets: number
}

/** Pipes that are reset at once: their commits are one, more often than not. */
const AT_ONCE = 50

export class TenantResetting {
  readonly #core: TenantCore
  readonly #scheduler: Scheduler
  readonly #indexes: TenantIndexes
  readonly #configuration: TenantConfiguration

  constructor(core: TenantCore, scheduler: Scheduler, indexes: TenantIndexes, configuration: TenantConfiguration) {
    this.#core = core
    this.#scheduler = scheduler
    this.#indexes = indexes
    this.#configuration = configuration
  }

  /** All pipes of users; `deletesInputs`: what receivers were sent goes too. */
  async reset({ deletesInputs }: { readonly deletesInputs: boolean }): Promise<WasReset> {
    const pipes = this.#core.pipes().filter((pipe) => pipe.isOfUser && (deletesInputs || !isReceiver(pipe)))
    await Promise.all(pipes.map(({ id }) => this.#scheduler.stop(id)))
    let datasets = 0
    for (let at = 0; at < pipes.length; at += AT_ONCE) {
      const deleted = await Promise.all(pipes.slice(at, at + AT_ONCE).map((pipe) => this.#resetPipe(pipe)))
      datasets += deleted.filter((isDeleted) => isDeleted).length
    }
    // Their datasets are there again, empty, and no thread remembers anything of before.
    await this.#configuration.redeploy()
    return { pipes: pipes.length, datasets }
  }

  /** Gives whether there was a dataset. */
  async #resetPipe({ id, sink }: Pipe): Promise<boolean> {
    const { journal } = this.#core.writer
    for (const runs of [id, besideRun(id)]) await journal.forgetRuns(runs)
    const tracked = withSnapshot(this.#core, (snapshot) => trackingForgotten(id, snapshot))
    await journal.commit({ offsets: [[sourceOffset(id), null], ...tracked] })
    await forgetting(this.#core, (present, commit) => forgetState(statePrefix(id), present, commit))
    await this.#scheduler.forgetRescan(id)
    this.#scheduler.forget(id)
    if (sink.kind !== 'dataset') return false
    const isThere = await journal.deleteDataset(sink.dataset)
    await this.#indexes.forget(sink.dataset)
    return isThere
  }
}
