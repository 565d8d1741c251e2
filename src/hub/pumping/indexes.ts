/** The indexes that pipes of a pump thread need: declared at once, filled by the thread that fills those of the dataset. */

import { INDEX_FINGERPRINT, shownExpression } from '../../dtl/compile.ts'
import type { IndexDocument } from '../../log/contract.ts'
import { fillIndex } from '../../log/fill.ts'
import type { Entity } from '../../model/entity.ts'
import type { NeededIndex } from '../../pipes/contract.ts'
import type { Pipe } from '../../pipes/pipe.ts'
import type { PumpingCore } from './core.ts'

const ofSink = ({ sink }: Pipe): NeededIndex[] =>
  sink.kind === 'dataset' ? sink.indexes.map((expression) => ({ dataset: sink.dataset, expression })) : []

export class PumpingIndexes {
  readonly #core: PumpingCore
  /** The indexes that nobody waits for, one after the other. */
  #filling: Promise<void> = Promise.resolve()

  constructor(core: PumpingCore) {
    this.#core = core
  }

  /**
   * Those that sinks name, and those that dependency tracking will read: declared now, all in one commit, so that every
   * batch from now on maintains them.
   */
  async keepAll(pipes: readonly Pipe[]): Promise<void> {
    const tracked = pipes.flatMap(({ tracking }) => tracking?.indexes ?? [])
    await Promise.all(
      this.#lacking(pipes.flatMap(ofSink), tracked).map(({ dataset, expression }) =>
        this.keep(dataset, expression).catch((error) => this.#report(dataset, expression, error)),
      ),
    )
  }

  /** Most are there already. Of datasets that are not there tracked ones are declared when somebody reads through them. */
  #lacking(ofSinks: readonly NeededIndex[], tracked: readonly NeededIndex[]): readonly NeededIndex[] {
    const snapshot = this.#core.log.snapshot()
    try {
      const isReady = ({ dataset, expression }: NeededIndex) =>
        declared(snapshot.dataset(dataset)?.document.indexes ?? [], expression)?.state === 'ready'
      const there = tracked.filter(({ dataset }) => snapshot.dataset(dataset) !== undefined)
      return [...ofSinks, ...there].filter((index) => !isReady(index))
    } finally {
      snapshot.close()
    }
  }

  /** Declares an index; it is filled in the background, after those that were declared before it. */
  async keep(dataset: string, expression: string): Promise<void> {
    const known = this.#index(dataset, expression)
    if (known?.state === 'ready') return
    if (known === undefined) {
      const { state: begun } = await this.#core.journal.assertIndex(dataset, expression, INDEX_FINGERPRINT)
      if (begun === 'ready') return
    }
    this.#filling = this.#filling
      .then(() => this.assert({ dataset, expression }))
      .catch((error) => this.#report(dataset, expression, error))
  }

  /** Resolves when the dataset has the index and it is complete. */
  async assert(index: NeededIndex): Promise<void> {
    const { pool, name, closing } = this.#core
    if (this.#isReady(index)) return
    await pool.fill({ tenant: name, ...index })
    closing.signal.throwIfAborted()
  }

  /** Fills it here: all threads that need it ask the same one. */
  fill({ dataset, expression, feeds = false }: NeededIndex): Promise<void> {
    const { journal, log, indexes, closing } = this.#core
    const keysOf = (entity: Entity) => indexes.keysOf(expression, entity)
    const fill = fillIndex(journal, log, dataset, expression, keysOf, {
      fingerprint: INDEX_FINGERPRINT,
      signal: closing.signal,
      feeds,
    })
    this.#core.track(fill)
    return fill
  }

  #report(dataset: string, expression: string, error: Error): void {
    const { closing, emit, name } = this.#core
    if (closing.signal.aborted) return
    const message = `The index ${shownExpression(expression)} of dataset '${dataset}' could not be filled: ${error.message}`
    emit({ type: 'log', level: 'warn', message, details: { tenant: name, dataset } })
  }

  #isReady({ dataset, expression, feeds = false }: NeededIndex): boolean {
    const index = this.#index(dataset, expression)
    return index?.state === 'ready' && (!feeds || index.feedsSince !== null)
  }

  #index(dataset: string, expression: string): IndexDocument | undefined {
    const snapshot = this.#core.log.snapshot()
    try {
      return declared(snapshot.dataset(dataset)?.document.indexes ?? [], expression)
    } finally {
      snapshot.close()
    }
  }
}

const declared = (indexes: readonly IndexDocument[], expression: string): IndexDocument | undefined =>
  indexes.find((one) => one.expression === expression && one.fingerprint === INDEX_FINGERPRINT)
