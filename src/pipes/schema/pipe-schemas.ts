/** The types of the pipes that run on a thread: kept in memory from one run to the next. */

import type { Snapshot } from '../../log/contract.ts'
import type { StateChanges } from '../state.ts'
import { PipeSchema, samplesForgotten, schemaForgotten } from './pipe-schema.ts'

/** Pipes kept while they do not run. */
const KEPT = 200

type Commit = (state: StateChanges) => Promise<unknown>

export class PipeSchemas {
  /** The last used last. */
  readonly #known = new Map<string, PipeSchema>()
  readonly #log: { snapshot(): Snapshot }
  readonly #commit: Commit

  /** `commit` stores after all that this thread has handed over before. */
  constructor(log: { snapshot(): Snapshot }, commit: Commit) {
    this.#log = log
    this.#commit = commit
  }

  /** For who is going to count with it, as it is stored by now; to be closed. */
  open(pipe: string): PipeSchema {
    const schema = this.#known.get(pipe) ?? new PipeSchema(pipe)
    // Beside another run, or request, it is what that has counted so far.
    if (schema.users === 0) this.#refresh(schema)
    schema.users++
    this.#known.delete(pipe)
    this.#known.set(pipe, schema)
    return schema
  }

  close(schema: PipeSchema): void {
    schema.users--
    if (this.#known.size <= KEPT) return
    for (const [pipe, { users }] of this.#known) {
      if (users > 0) continue
      this.#known.delete(pipe)
      return
    }
  }

  /** What is known of a pipe is forgotten; what it is counting goes on from nothing. */
  async discard(pipe: string): Promise<void> {
    const schema = this.#known.get(pipe)
    if (schema === undefined) return
    schema.discard()
    // What is on its way to be stored still holds what was known.
    await this.#commit(schemaForgotten(pipe))
  }

  /** An entity was erased that samples of the pipe may be of. */
  async forgetSamples(pipe: string): Promise<void> {
    const schema = this.#known.get(pipe)
    if (schema === undefined) return
    schema.forgetSamples()
    await this.#commit(samplesForgotten(pipe))
  }

  #refresh(schema: PipeSchema): void {
    const snapshot = this.#log.snapshot()
    try {
      schema.refresh(snapshot)
    } finally {
      snapshot.close()
    }
  }
}
