/** What each component was and became, as a dataset: `system:config` (hub.md §2.10, rest-api.md §3.4). */

import { storedJson } from '../../log/stored.ts'
import { dictOf, entries } from '../../model/dict.ts'
import type { Entity } from '../../model/entity.ts'
import type { Value } from '../../model/value.ts'
import { DatasetWriter, IndexCompiler } from '../../pipes/dataset-writer.ts'
import type { HistoryQuery } from '../contract-configuration.ts'
import { withSnapshot } from '../datasets.ts'
import type { Deployment } from '../deployment.ts'
import type { TenantCore } from './core.ts'

const DATASET = 'system:config'
/** Set in one commit with a change, until its components are in the dataset. */
export const HISTORY_OWED = 'config-history-owed'

export class ConfigHistory {
  readonly #core: TenantCore
  readonly #indexes = new IndexCompiler()

  constructor(core: TenantCore) {
    this.#core = core
  }

  /** Those that changed, and as deleted those that are gone; what is as it was makes no version. */
  async note(former: Deployment, next: Deployment): Promise<void> {
    const before = new Map(former.components.map(({ id, text }) => [id, text]))
    const changed = next.components.filter(({ id, text }) => before.get(id) !== text)
    const now = new Set(next.components.map(({ id }) => id))
    const gone = [...before.keys()].filter((id) => !now.has(id))
    await this.#write([...changed.map(({ id, original }) => versionOf(id, entries(original))), ...gone.map(deleted)])
  }

  /** After a hub that ended too soon: all that is there, and what is not any more. */
  async catchUp(): Promise<void> {
    const { components } = this.#core.deployment
    const now = new Set(components.map(({ id }) => id))
    const gone = withSnapshot(this.#core, (snapshot) =>
      [...(snapshot.dataset(DATASET)?.heads({ deleted: false }) ?? [])].flatMap(({ id }) => (now.has(id) ? [] : [id])),
    )
    await this.#write([...components.map(({ id, original }) => versionOf(id, entries(original))), ...gone.map(deleted)])
  }

  /** Versions of one component as a JSON array, in the order in which they came. */
  of(id: string, { since, limit = Number.POSITIVE_INFINITY, reverse }: HistoryQuery): string {
    return withSnapshot(this.#core, (snapshot) => {
      const view = snapshot.dataset(DATASET)
      const versions: { readonly sequence: number; readonly text: string }[] = []
      for (let one = view?.latest(id); one !== undefined; ) {
        versions.push({ sequence: one.sequence, text: storedJson(one) })
        one = one.previous === null ? undefined : view?.version(one.previous)
      }
      if (!reverse) versions.reverse()
      const isWanted = (sequence: number) => since === undefined || (reverse ? sequence < since : sequence > since)
      const wanted = versions.filter(({ sequence }) => isWanted(sequence)).slice(0, limit)
      return `[${wanted.map(({ text }) => text).join(',')}]`
    })
  }

  async #write(entities: readonly Entity[]): Promise<void> {
    const { journal } = this.#core.writer
    if (entities.length > 0) {
      const document = await journal.assertDataset(DATASET)
      let current = document
      const refresh = () => {
        current = withSnapshot(this.#core, (snapshot) => snapshot.dataset(DATASET)?.document) ?? document
      }
      refresh()
      const writer = new DatasetWriter(journal, this.#indexes, DATASET, () => current, refresh)
      await writer.write(entities, { meta: [[HISTORY_OWED, null]] })
    } else await journal.commit({ meta: [[HISTORY_OWED, null]] })
  }
}

/** Names that the log keeps for itself cannot be those of a version's content. */
const OF_THE_LOG: ReadonlySet<string> = new Set(['_deleted', '_updated', '_previous', '_ts', '_hash', '_filtered'])

const versionOf = (id: string, original: readonly (readonly [string, Value])[]): Entity =>
  dictOf([...original.filter(([name]) => !OF_THE_LOG.has(name)), ['_id', id] as const]) as Entity

const deleted = (id: string): Entity => dictOf({ _id: id, _deleted: true }) as Entity
