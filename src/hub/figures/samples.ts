/** What is known of the sizes of logs: looked at again when they grew, little by little, so that asking costs little. */

import type { DatasetCounts, DatasetView } from '../../log/contract.ts'
import { type LogSample, sampleLog } from './log-sample.ts'

interface Known {
  readonly sample: LogSample
  readonly generation: string
  readonly end: number
  readonly versions: number
  /** Milliseconds. */
  readonly at: number
}

/** One that grew is looked at again after this. */
const FRESH_MS = 60_000
/** Time that looking may take, of a second. */
const SHARE_MS = 10

export class LogSamples {
  readonly #now: () => number
  readonly #known = new Map<string, Known>()
  #spentMs = 0
  #spentAt = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** As it was seen last; null: not yet. */
  of(view: DatasetView, { end, versions }: DatasetCounts): LogSample | null {
    const { id, generation } = view.document
    const known = this.#known.get(id)
    const isThis = known?.generation === generation
    if (isThis && known.end === end && known.versions === versions) return known.sample
    const now = this.#now()
    if (isThis && now - known.at < FRESH_MS) return known.sample
    if (this.#isSpent(now)) return isThis ? known.sample : null
    const sample = sampleLog(view)
    this.#known.set(id, { sample, generation, end, versions, at: now })
    this.#spentMs += this.#now() - now
    return sample
  }

  #isSpent(now: number): boolean {
    if (now - this.#spentAt >= 1_000) {
      this.#spentAt = now
      this.#spentMs = 0
    }
    return this.#spentMs >= SHARE_MS
  }
}
