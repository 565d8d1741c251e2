/** Tells in the execution logs of pipes what was done to them past their runs (hub.md §9.7). */

import type { Snapshot } from '../../log/contract.ts'
import { dictOf } from '../../model/dict.ts'
import type { Value } from '../../model/value.ts'
import { IndexCompiler } from '../../pipes/dataset-writer.ts'
import { type EventType, eventOf, timeText, type User, userOf } from '../../pipes/execution/event.ts'
import { writeEvents } from '../../pipes/execution/writer.ts'
import type { Reposted } from '../contract.ts'
import { withSnapshot } from '../datasets.ts'
import type { TenantCore } from './core.ts'

/** The last restore that logs tell of, in the log's meta table. */
const RESTORE_TOLD = 'restore-told'

export class TenantEvents {
  readonly #core: TenantCore
  readonly #indexes = new IndexCompiler()

  constructor(core: TenantCore) {
    this.#core = core
  }

  /** `user`: who did it. */
  async tell(
    pipe: string,
    type: EventType,
    properties: Readonly<Record<string, Value>> = {},
    user: User | null = null,
  ): Promise<void> {
    const { writer, log, secrets } = this.#core
    const all = {
      event_time: timeText(Date.now()),
      ...properties,
      ...(user === null ? {} : { user: userOf(user) }),
    }
    const ports = { journal: writer.journal, log, indexes: this.#indexes, secrets }
    await writeEvents(ports, pipe, [eventOf(pipe, type, all)])
  }

  /** Of the pipe that writes the dataset; who writes to a dataset past any pipe leaves no entry. */
  async tellReposted(dataset: string, reposted: readonly Reposted[], user: User | null): Promise<void> {
    const pipe = this.#core.pipes().find(({ sink }) => sink.kind === 'dataset' && sink.dataset === dataset)
    if (pipe === undefined || reposted.length === 0) return
    const entities = reposted.map(({ _id, _deleted, _updated }) => dictOf({ _id, _deleted, _updated }))
    const properties = { pipe_id: pipe.id, entities, num_entities: reposted.length }
    await this.tell(pipe.id, 'entities-reposted', properties, user)
  }

  /** Once after the data came from a backup: in the log of each pipe. */
  async tellRestored(): Promise<void> {
    const { newest, told } = withSnapshot(this.#core, (snapshot) => ({
      newest: newestRestore(snapshot),
      told: snapshot.meta(RESTORE_TOLD),
    }))
    if (newest === null || newest === told) return
    for (const id of this.#core.deployment.pipes.keys()) {
      await this.tell(id, 'restore-completed', { restore_uuid: newest })
    }
    await this.#core.writer.journal.commit({ meta: [[RESTORE_TOLD, newest]] })
  }
}

/** All datasets of a log are restored together, so each says the same. */
const newestRestore = (snapshot: Snapshot): string | null =>
  snapshot.datasets().find(({ restore }) => restore !== null)?.restore?.uuid ?? null
