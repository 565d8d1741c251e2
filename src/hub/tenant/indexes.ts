/** The indexes of a tenant's datasets: what they are, who needs them, and those that doors asked for. */

import type { IndexDocument } from '../../log/contract.ts'
import { withSnapshot } from '../datasets.ts'
import { HubError } from '../errors.ts'
import { DoorIndexes, type IndexUse, indexDocument, pipesUsing } from '../indexes.ts'
import type { TenantCore } from './core.ts'

const DOOR_INDEXES = 'door-indexes'

export class TenantIndexes {
  readonly #core: TenantCore
  #ofDoors = new DoorIndexes()

  constructor(core: TenantCore) {
    this.#core = core
  }

  /** What was there when the hub ended. */
  restore(): void {
    this.#ofDoors = DoorIndexes.of(withSnapshot(this.#core, (snapshot) => snapshot.meta(DOOR_INDEXES)))
  }

  document(dataset: string): string | undefined {
    return withSnapshot(this.#core, (snapshot) => {
      const view = snapshot.dataset(dataset)
      const { indexes } = view?.document ?? { indexes: [] }
      return view && JSON.stringify(indexes.map((index) => indexDocument(view, index, this.#useOf(dataset, index))))
    })
  }

  async delete(dataset: string, number: number): Promise<void> {
    const document = withSnapshot(this.#core, (snapshot) => snapshot.dataset(dataset)?.document)
    if (document === undefined) throw new HubError('unknown-dataset', `There is no dataset '${dataset}'.`)
    const index = document.indexes.find((one) => one.number === number)
    if (index === undefined) throw new HubError('unknown-index', `Dataset '${dataset}' has no index ${number}.`)
    const { pipes } = this.#useOf(dataset, index)
    if (pipes.length > 0) {
      throw new HubError(
        'index-in-use',
        `The index ${number} of dataset '${dataset}' is used by ${pipes.join(', ')}.`,
        {
          details: { dataset, index: number, pipes },
          hint: 'Change or remove these pipes first: the index is orphaned then.',
        },
      )
    }
    await this.#core.writer.journal.deleteIndex(dataset, number)
    if (this.#ofDoors.delete(dataset, index.expression)) await this.#save()
  }

  /** The dataset is gone, and what doors wanted of it. */
  async forget(dataset: string): Promise<void> {
    if (this.#ofDoors.delete(dataset)) await this.#save()
  }

  /** Makes sure that entities can be looked up by a property; gives the index's expression. */
  async ofProperty(dataset: string, property: string): Promise<string> {
    const { name, pool } = this.#core.options
    const expression = await pool.call('propertyIndex', { tenant: name, dataset, property })
    if (this.#ofDoors.add(dataset, expression)) await this.#save()
    return expression
  }

  /** From now on it is noted who loses a key of the index, for those who read subsets from it. */
  async feed(dataset: string, { expression, fingerprint }: IndexDocument): Promise<void> {
    await this.#core.writer.journal.assertIndex(dataset, expression, fingerprint, { feeds: true })
  }

  #useOf(dataset: string, { expression }: IndexDocument): IndexUse {
    return {
      pipes: pipesUsing(this.#core.deployment, dataset, expression),
      isOfDoor: this.#ofDoors.has(dataset, expression),
    }
  }

  #save(): Promise<unknown> {
    return this.#core.writer.journal.commit({ meta: [[DOOR_INDEXES, this.#ofDoors.text()]] })
  }
}
