/** Keeps what dependency tracking finds in one run within what the configuration allows (dtl.md §11.4): nothing, unless it says so. */

import type { Entity } from '../../model/entity.ts'
import { writeJson } from '../../model/json.ts'
import { PipeError } from '../errors.ts'
import type { TrackingSettings } from '../hops-thresholds.ts'
import type { Logger } from '../logger.ts'

/** Null: as many as there are. Bytes are those of the entities as JSON. */
export interface TrackingLimits {
  readonly warning: number | null
  readonly error: number | null
  readonly warningBytes: number | null
  readonly errorBytes: number | null
  /** Changes that wait to be followed back; with more all is read again instead. */
  readonly behind: number | null
}

/** Of the pipe, over those of the node. */
export function trackingLimitsOf(pipe: TrackingSettings, node: TrackingSettings): TrackingLimits {
  const given = { ...node, ...pipe }
  return {
    warning: given.dependency_warning_threshold ?? null,
    error: given.dependency_error_threshold ?? null,
    warningBytes: given.dependency_warning_threshold_total_bytes ?? null,
    errorBytes: given.dependency_error_threshold_total_bytes ?? null,
    behind: given.dependency_reset_threshold ?? null,
  }
}

/** A run has found more than it may. */
export class TooManyDependants extends PipeError {
  constructor(pipe: string, what: string, setting: string) {
    super(
      'dependency-threshold',
      `Dependency tracking of pipe '${pipe}' found ${what}: more than dependency_tracking.${setting}.`,
      {
        hint: 'Raise or remove the threshold: what is found runs again in pages, whatever its number. Or rescan the pipe, which sets tracking to the present.',
        details: { setting },
      },
    )
  }
}

export class Thresholds {
  readonly #pipe: string
  readonly #limits: TrackingLimits
  readonly #logger: Logger
  #bytes = 0
  #isWarned = false

  constructor(pipe: string, limits: TrackingLimits, logger: Logger) {
    this.#pipe = pipe
    this.#limits = limits
    this.#logger = logger
  }

  /** Source entities found so far; throws {@link TooManyDependants}. */
  count(found: number): void {
    const { error, warning } = this.#limits
    if (error !== null && found > error) {
      throw new TooManyDependants(this.#pipe, `${found} source entities to run again`, 'dependency_error_threshold')
    }
    if (warning !== null && found > warning) this.#warn(`${found} source entities`)
  }

  /** Entities that are about to run again; throws {@link TooManyDependants}. */
  weigh(entities: readonly Entity[]): void {
    const { errorBytes, warningBytes } = this.#limits
    if (errorBytes === null && warningBytes === null) return
    for (const entity of entities) this.#bytes += Buffer.byteLength(writeJson(entity))
    if (errorBytes !== null && this.#bytes > errorBytes) {
      const setting = 'dependency_error_threshold_total_bytes'
      throw new TooManyDependants(this.#pipe, `${this.#bytes} bytes of source entities to run again`, setting)
    }
    if (warningBytes !== null && this.#bytes > warningBytes) this.#warn(`${this.#bytes} bytes of source entities`)
  }

  #warn(what: string): void {
    if (this.#isWarned) return
    this.#isWarned = true
    this.#logger.warn(`Dependency tracking of pipe '${this.#pipe}' found ${what} to run again.`, { pipe: this.#pipe })
  }
}
