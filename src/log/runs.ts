/** Which run of each pipe may write: batches of one that was ended or replaced are refused (design §4). */

import type { RunToken } from './contract.ts'
import { nameKey, readText, writeText } from './documents.ts'
import type { Environment } from './environment.ts'
import { LogError } from './errors.ts'
import type { Stagings } from './stagings.ts'

export class Runs {
  readonly #environment: Environment
  readonly #stagings: Stagings
  readonly #current = new Map<string, number>()

  constructor(environment: Environment, stagings: Stagings) {
    this.#environment = environment
    this.#stagings = stagings
  }

  /** The number of the run: greater than of any before. */
  begin(pipe: string): number {
    this.#stagings.undoOpen(pipe)
    const { meta } = this.#environment.tables
    const number = Number(readText(meta, nameKey('r', pipe)) ?? 0) + 1
    writeText(meta, nameKey('r', pipe), String(number))
    this.#current.set(pipe, number)
    return number
  }

  end(pipe: string, number: number): void {
    if (this.#current.get(pipe) !== number) return
    this.#stagings.undoOpen(pipe)
    this.#current.delete(pipe)
  }

  forget(pipe: string): void {
    this.#stagings.undoOpen(pipe)
    this.#current.delete(pipe)
    this.#environment.tables.meta.remove(nameKey('r', pipe))
  }

  /** Throws `stale-run`. */
  check(run: RunToken | undefined): void {
    if (run === undefined || this.#current.get(run.pipe) === run.number) return
    throw new LogError('stale-run', `Run ${run.number} of pipe '${run.pipe}' was ended or replaced by another one.`, {
      details: { ...run, current: this.#current.get(run.pipe) ?? null },
    })
  }
}
