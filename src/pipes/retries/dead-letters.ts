/** Entities that were given up, in a dataset of their own, from where somebody may take them up again (hub.md §8). */

import { LogError } from '../../log/errors.ts'
import { dictOf, entries } from '../../model/dict.ts'
import { type Entity, idOf, isDeleted } from '../../model/entity.ts'
import { DatasetWriter } from '../dataset-writer.ts'
import { timeText } from '../execution/event.ts'
import type { Run } from '../run.ts'
import { noSecrets } from '../secrets.ts'
import type { StateChanges } from '../state.ts'
import type { DeadLetterSettings } from './pump-settings.ts'

/** What was given up, and why. */
export interface Dead {
  readonly entity: Entity
  readonly attempts: number
  readonly error: Error
}

export class DeadLetters {
  readonly #run: Run
  readonly #settings: DeadLetterSettings
  #writer: Promise<DatasetWriter> | null = null

  constructor(run: Run, settings: DeadLetterSettings) {
    this.#run = run
    this.#settings = settings
  }

  /** In one commit with the state that says that they do not wait any more. */
  async write(dead: readonly Dead[], state: StateChanges): Promise<void> {
    const { token } = this.#run
    this.#writer ??= this.#open()
    const writer = await this.#writer
    try {
      await writer.write(
        dead.map((one) => this.#letterOf(one)),
        { run: token, state },
      )
    } catch (error) {
      // It was as large as can be before it was a letter.
      if (!(error instanceof LogError && error.code === 'entity-too-large')) throw error
      await writer.write(
        dead.map((one) => this.#letterOf({ ...one, entity: dictOf({ _id: idOf(one.entity) }) as Entity })),
        {
          run: token,
          state,
        },
      )
    }
  }

  /** Entities of these ids were written: their letters are void. */
  async void(ids: readonly string[]): Promise<void> {
    const { dataset, isTracked } = this.#settings
    const view = isTracked ? this.#run.snapshot.dataset(dataset) : undefined
    if (view === undefined || view.counts().existing === 0) return
    const letters = ids.filter((id) => view.head(id)?.deleted === false)
    if (letters.length === 0) return
    this.#writer ??= this.#open()
    const deleted = letters.map((id) => dictOf({ _id: id, _deleted: true }) as Entity)
    await (await this.#writer).write(deleted, { run: this.#run.token }, { isOfHub: true })
  }

  async #open(): Promise<DatasetWriter> {
    const { journal, indexes } = this.#run.ports
    const { dataset } = this.#settings
    const { populated } = await journal.assertDataset(dataset)
    // As many as there are is all there are: who hops to it need not wait.
    if (!populated) await journal.commit({ populated: [[dataset, true]] })
    this.#run.position.moveToPresent()
    const document = () => this.#run.view(dataset).document
    return new DatasetWriter(journal, indexes, dataset, document, () => this.#run.position.moveToPresent())
  }

  /** The entity as its source gave it, live even where it was a deletion, and what became of it. */
  #letterOf({ entity, attempts, error }: Dead): Entity {
    const { pipe, ports } = this.#run
    const about = dictOf({
      pipe: pipe.id,
      event_time: timeText(ports.now()),
      retry_attempts: attempts,
      error: (ports.secrets ?? noSecrets).mask(error.message),
      deleted: isDeleted(entity),
    })
    return dictOf([
      ...entries(entity).filter(([name]) => name !== '_deleted'),
      ['$dead_letter', about] as const,
    ]) as Entity
  }
}
