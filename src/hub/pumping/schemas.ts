/** What the entities of a tenant's pipes look like, as far as this thread counts it. */

import type { Pipe } from '../../pipes/pipe.ts'
import { seesEntitiesOf } from '../../pipes/schema/of-dataset.ts'
import { PipeSchemas } from '../../pipes/schema/pipe-schemas.ts'
import type { PumpingCore } from './core.ts'

export class PumpingSchemas {
  readonly #core: PumpingCore
  readonly #schemas: PipeSchemas
  /** Whether pipes are counted that do not say, and whose node does not. */
  readonly #byDefault: boolean

  constructor(core: PumpingCore, byDefault: boolean) {
    this.#core = core
    this.#byDefault = byDefault
    this.#schemas = new PipeSchemas((state) => core.journal.commit({ state }))
  }

  of({ infersTypes }: Pipe): { readonly schemas?: PipeSchemas } {
    return (infersTypes ?? this.#byDefault) ? { schemas: this.#schemas } : {}
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
