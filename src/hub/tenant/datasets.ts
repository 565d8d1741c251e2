/** The datasets of a tenant: how they stand, and what is done to them past any pipe. */

import { randomUUID } from 'node:crypto'
import type { Entity } from '../../model/entity.ts'
import { DatasetWriter, IndexCompiler } from '../../pipes/dataset-writer.ts'
import { executionDataset, type User } from '../../pipes/execution/event.ts'
import { retryForgotten } from '../../pipes/retries/queue.ts'
import { seesEntitiesOf } from '../../pipes/schema/of-dataset.ts'
import { samplesForgotten } from '../../pipes/schema/pipe-schema.ts'
import type * as hub from '../contract.ts'
import { withSnapshot } from '../datasets.ts'
import { datasetDocument } from '../documents.ts'
import { recordTenant } from '../erasure.ts'
import { HubError } from '../errors.ts'
import type { Scheduler } from '../scheduler.ts'
import { type TenantCore, transferable } from './core.ts'
import type { TenantEvents } from './events.ts'
import { mentioned, pipesAround } from './mentions.ts'

export class TenantDatasets {
  readonly #core: TenantCore
  readonly #scheduler: Scheduler
  readonly #events: TenantEvents
  readonly #indexes = new IndexCompiler()

  constructor(core: TenantCore, scheduler: Scheduler, events: TenantEvents) {
    this.#core = core
    this.#scheduler = scheduler
    this.#events = events
  }

  document(id: string): string | undefined {
    return withSnapshot(this.#core, (snapshot) => {
      const view = snapshot.dataset(id)
      return view && datasetDocument(view, { isOrphaned: this.#isOrphaned(id) })
    })
  }

  /** No pipe writes it, not even one with errors: most likely its pipe was deleted (hub.md §3.5). */
  #isOrphaned(dataset: string): boolean {
    return !dataset.startsWith('system:') && !this.#core.deployment.written.has(dataset)
  }

  /** How much there is in the log. */
  size(): { readonly datasets: number; readonly versions: number } {
    return withSnapshot(this.#core, (snapshot) => {
      // What the hub notes by itself, configurations above all, is nobody's data.
      const all = snapshot.datasets().filter(({ id }) => !id.startsWith('system:'))
      const versions = all.reduce((sum, { id }) => sum + (snapshot.dataset(id)?.counts().versions ?? 0), 0)
      return { datasets: all.length, versions }
    })
  }

  liveEntities(dataset: string): number | null {
    return withSnapshot(this.#core, (snapshot) => snapshot.dataset(dataset)?.counts().existing ?? null)
  }

  global(): readonly string[] {
    return this.#core
      .pipes()
      .flatMap(({ isGlobal, sink }) => (isGlobal && sink.kind === 'dataset' ? [sink.dataset] : []))
  }

  ends(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#core.inputs()].map(([id, { end }]) => [id, end]))
  }

  async shape(dataset: string): Promise<hub.DatasetShape | undefined> {
    const { name, pool } = this.#core.options
    return (await pool.call('shape', { tenant: name, dataset })) ?? undefined
  }

  /** Erases an entity with all its versions, here and in the graph. Gives how many versions there were. */
  async eraseEntity(dataset: string, id: string): Promise<number> {
    const { name, pool } = this.#core.options
    const projected = this.#core.projected()
    const sampled = this.#core.pipes().filter((pipe) => seesEntitiesOf(pipe, dataset))
    await this.#core.writer.journal.commit({ state: sampled.flatMap((pipe) => samplesForgotten(pipe.id)) })
    const erased = await pool.erase({ tenant: name, dataset, id, projected })
    for (const pipe of pipesAround(this.#core.pipes(), dataset)) {
      const { entries, waiting } = withSnapshot(this.#core, (snapshot) => ({
        entries: mentioned(snapshot, pipe.id, id),
        waiting: retryForgotten(pipe.id, id, snapshot),
      }))
      if (waiting.length > 0) await this.#core.writer.journal.commit({ state: waiting })
      for (const entry of entries) {
        await pool.erase({ tenant: name, dataset: executionDataset(pipe.id), id: entry, projected })
      }
    }
    await this.#scheduler.forgetMentions(id)
    return erased
  }

  /** Records that another tenant was deleted with all it had. */
  recordErased(tenant: string, had: { readonly datasets: number; readonly versions: number }): Promise<void> {
    const { writer, log } = this.#core
    return recordTenant({ journal: writer.journal, log, now: Date.now, uuid: randomUUID }, tenant, had)
  }

  async decideBreaker(dataset: string, decision: 'commit' | 'rollback', user: User | null): Promise<void> {
    const staging = withSnapshot(this.#core, (snapshot) => {
      const view = snapshot.dataset(dataset)
      if (view === undefined) throw new HubError('unknown-dataset', `There is no dataset '${dataset}'.`)
      return view.staging()
    })
    if (staging === undefined || staging.state === 'open') {
      throw new HubError('breaker-not-tripped', `The circuit breaker of dataset '${dataset}' has not tripped.`, {
        hint: 'There is nothing to commit or to roll back.',
      })
    }
    const { name: tenant, pool, logger } = this.#core.options
    if (decision === 'commit') await pool.call('expose', { tenant, dataset })
    else await this.#core.writer.journal.discardStaged(dataset)
    logger.info(
      `What the circuit breaker of dataset '${dataset}' held back was ${decision === 'commit' ? 'committed' : 'rolled back'}.`,
      {
        tenant,
        dataset,
        pipe: staging.pipe,
      },
    )
    if (!this.#core.deployment.pipes.has(staging.pipe)) return
    this.#scheduler.forget(staging.pipe)
    await this.#events.tell(staging.pipe, `circuit-breaker-${decision}`, {}, user)
  }

  async repost(dataset: string, ids: readonly string[], user: User | null): Promise<readonly hub.Reposted[]> {
    const { name: tenant, pool, logger } = this.#core.options
    const reposted = await pool.call('repost', { tenant, dataset, ids })
    logger.info(`${reposted.length} entities of dataset '${dataset}' were reposted.`, {
      tenant,
      dataset,
      event: 'entities-reposted',
    })
    await this.#events.tellReposted(dataset, reposted, user)
    return reposted
  }

  append(dataset: string, body: Uint8Array, force: boolean, form: hub.TextForm): Promise<number> {
    const { name: tenant, pool } = this.#core.options
    return pool.call('append', { tenant, dataset, body, form, force }, transferable(body))
  }

  /** Writes entities to a dataset past any pipe, change-tracked and on disk when it resolves; gives how many changed. */
  async write(dataset: string, entities: readonly Entity[]): Promise<number> {
    const { journal } = this.#core.writer
    const document = await journal.assertDataset(dataset)
    let current = document
    const writer = new DatasetWriter(
      journal,
      this.#indexes,
      dataset,
      () => current,
      () => {
        current = withSnapshot(this.#core, (snapshot) => snapshot.dataset(dataset)?.document) ?? document
      },
    )
    return (await writer.write(entities, { durable: true })).changes
  }
}
