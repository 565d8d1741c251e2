/** What the entities of a tenant's pipes look like, as far as this thread counts it. */

import { setTimeout } from 'node:timers/promises'
import type { Entity } from '../../model/entity.ts'
import type { Pipe } from '../../pipes/pipe.ts'
import { seesEntitiesOf } from '../../pipes/schema/of-dataset.ts'
import type { PipeSchema } from '../../pipes/schema/pipe-schema.ts'
import { PipeSchemas } from '../../pipes/schema/pipe-schemas.ts'
import type { PumpingCore } from './core.ts'

/** Entities of an answer that are counted: answers may be long, and are given often. */
const COUNTED = 10_000
const STORED_MS = 1_000

type Note = (read: readonly Entity[], made: readonly Entity[]) => void

export class PumpingSchemas {
  readonly #core: PumpingCore
  readonly #schemas: PipeSchemas
  /** Whether pipes are counted that do not say, and whose node does not. */
  readonly #byDefault: boolean
  /** Publishers of which something is to be stored. */
  readonly #due = new Map<string, Promise<void>>()

  constructor(core: PumpingCore, byDefault: boolean) {
    this.#core = core
    this.#byDefault = byDefault
    this.#schemas = new PipeSchemas(core.log, (state) => core.journal.commit({ state }))
  }

  of({ infersTypes }: Pipe): { readonly schemas?: PipeSchemas } {
    return (infersTypes ?? this.#byDefault) ? { schemas: this.#schemas } : {}
  }

  /** What a publisher gives: the beginning of each answer is counted, however often somebody asks. */
  async *published(
    pipe: Pipe,
    read: (note: Note) => AsyncIterable<readonly Entity[]>,
  ): AsyncGenerator<readonly Entity[]> {
    const { schemas } = this.of(pipe)
    if (schemas === undefined) return yield* read(() => {})
    const schema = schemas.open(pipe.id)
    let left = COUNTED
    try {
      yield* read((given, made) => {
        if (left > 0) schema.note(given, made, Date.now())
        left -= given.length
      })
    } finally {
      void this.#stored(schema).finally(() => schemas.close(schema))
    }
  }

  /** A moment later, for all answers of that moment at once. What is lost with the thread, the next answers tell. */
  #stored(schema: PipeSchema): Promise<void> {
    const { pipe } = schema
    const store = async () => {
      await setTimeout(STORED_MS, undefined, { ref: false })
      this.#due.delete(pipe)
      const state = schema.take()
      if (state.length > 0 && !this.#core.closing.signal.aborted) await this.#core.journal.commit({ state })
    }
    const due = this.#due.get(pipe) ?? store().catch(() => {})
    this.#due.set(pipe, due)
    return due
  }

  discard(pipe: string): Promise<void> {
    return this.#schemas.discard(pipe)
  }

  /** Something of the dataset was erased. */
  async forgetSamples(dataset: string): Promise<void> {
    for (const { pipe } of this.#core.deployment?.pipes.values() ?? []) {
      if (pipe !== null && seesEntitiesOf(pipe, dataset)) await this.#schemas.forgetSamples(pipe.id)
    }
  }
}
