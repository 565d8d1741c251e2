/**
 * A pipe that went away takes along all that is its own (hub.md §3.5), unless the node says otherwise; its dataset stays.
 * The list of those that went stands beside the configuration until this is done, so that a restart goes on with it.
 */

import { besideRun } from '../../pipes/beside/beside.ts'
import { sourceOffset } from '../../pipes/full-run.ts'
import { forgetState, statePrefix } from '../../pipes/state.ts'
import { trackingForgotten } from '../../pipes/tracking/offsets.ts'
import { withSnapshot } from '../datasets.ts'
import type { TenantCore } from './core.ts'
import { forgetting } from './forgetting.ts'
import { linksMeta } from './links.ts'
import { pumpMeta, type TenantPumps } from './pumps.ts'

/** Pipes that were deleted and are not cleaned up yet, in the log's meta table. */
const DELETED = 'deleted-pipes'
/** Forgotten together: each waits for commits, which they share. */
const AT_ONCE = 50

export class ForgottenPipes {
  readonly #core: TenantCore
  readonly #pumps: TenantPumps

  constructor(core: TenantCore, pumps: TenantPumps) {
    this.#core = core
    this.#pumps = pumps
  }

  /** To be stored in one commit with the configuration that they are not in. */
  owing(pipes: readonly string[]): readonly (readonly [string, string | null])[] {
    return pipes.length === 0 ? [] : [[DELETED, JSON.stringify(pipes)]]
  }

  /** What was begun when the hub ended. */
  async goOn(): Promise<void> {
    const owed = withSnapshot(this.#core, (snapshot) => snapshot.meta(DELETED))
    if (owed !== undefined) await this.forget(JSON.parse(owed) as string[])
  }

  async forget(pipes: readonly string[]): Promise<void> {
    if (pipes.length === 0) return
    const core = this.#core
    for (let from = 0; from < pipes.length; from += AT_ONCE) {
      await Promise.all(pipes.slice(from, from + AT_ONCE).map((id) => this.#forgetOne(id)))
    }
    await core.writer.journal.commit({ meta: [[DELETED, null]] })
  }

  async #forgetOne(id: string): Promise<void> {
    const core = this.#core
    await this.#pumps.scheduler.stop(id)
    if (!core.deployment.node.cleansUp || core.deployment.pipes.has(id)) return
    const { journal } = core.writer
    const tracked = withSnapshot(core, (snapshot) => trackingForgotten(id, snapshot))
    await journal.commit({
      offsets: [[sourceOffset(id), null], ...tracked],
      meta: [
        [pumpMeta(id), null],
        [linksMeta(id), null],
      ],
    })
    await forgetting(core, (present, commit) => forgetState(statePrefix(id), present, commit))
    for (const runs of [id, besideRun(id)]) await journal.forgetRuns(runs)
    const internal = withSnapshot(core, (snapshot) => snapshot.datasets().filter((one) => isInternalOf(id, one.id)))
    for (const dataset of internal) await journal.deleteDataset(dataset.id)
  }
}

/** `system:<kind>:<pipe>` (hub.md §2.10). */
const isInternalOf = (pipe: string, dataset: string): boolean =>
  /^system:[^:]+:/.exec(dataset)?.[0].length === dataset.length - pipe.length && dataset.endsWith(`:${pipe}`)
