/** Counts what hops look up in one run, and keeps it within the thresholds where they are switched on (dtl.md §10.7). */

import type { Evaluation, HopsMeter } from '../dtl/contract.ts'
import { DtlError } from '../dtl/errors.ts'
import type { Entity } from '../model/entity.ts'
import { writeJson } from '../model/json.ts'
import type { Logger } from './logger.ts'

/** Of what one evaluation of a hops may collect; bytes are those of the entities as JSON. */
export interface HopsThresholds {
  readonly warning: number
  readonly error: number
  readonly warningBytes: number
  readonly errorBytes: number
}

/** Of hub.md §5: what they are where nothing is said. */
export const defaultThresholds: HopsThresholds = {
  warning: 10_000,
  error: 50_000,
  warningBytes: 33_554_432,
  errorBytes: 134_217_728,
}

export class RunHopsMeter implements HopsMeter {
  /** Most entities looked up for one source entity. */
  maxCardinality = 0
  /** Entities looked up in the run. */
  total = 0
  readonly #thresholds: HopsThresholds | null
  readonly #logger: Logger
  /** Hops that were warned of: once in a run is enough. */
  readonly #warned = new Set<string>()
  readonly #sizes = new WeakMap<Entity, number>()

  constructor(thresholds: HopsThresholds | null, logger: Logger) {
    this.#thresholds = thresholds
    this.#logger = logger
  }

  source(count: number): void {
    this.total += count
    this.maxCardinality = Math.max(this.maxCardinality, count)
  }

  begin(pointer: string): Evaluation | null {
    const thresholds = this.#thresholds
    if (thresholds === null) return null
    let [count, bytes] = [0, 0]
    return {
      collect: (entities) => {
        count += entities.length
        for (const entity of entities) bytes += this.#sizeOf(entity)
        if (count > thresholds.error) throw exceeded(pointer, `${count} entities`, 'dependency_error_threshold')
        if (bytes > thresholds.errorBytes)
          throw exceeded(pointer, `${bytes} bytes of entities`, 'dependency_error_threshold_total_bytes')
        if (count > thresholds.warning || bytes > thresholds.warningBytes) this.#warn(pointer, count, bytes)
      },
    }
  }

  #warn(pointer: string, entities: number, bytes: number): void {
    if (this.#warned.has(pointer)) return
    this.#warned.add(pointer)
    this.#logger.warn('A hops collects many entities for one source entity.', { pointer, entities, bytes })
  }

  /** What lookups give is kept and given again, so it is measured once. */
  #sizeOf(entity: Entity): number {
    let size = this.#sizes.get(entity)
    if (size === undefined) {
      size = Buffer.byteLength(writeJson(entity))
      this.#sizes.set(entity, size)
    }
    return size
  }
}

const exceeded = (pointer: string, what: string, setting: string): DtlError =>
  new DtlError('hops-threshold', `The hops at ${pointer} collected ${what} for one source entity.`, {
    hint: `Make its joins more selective, or raise dependency_tracking.${setting}.`,
  })
