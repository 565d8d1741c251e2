/** Where a run's entities go: what the outline of a run asks of its sink. */

import type { Entity } from '../model/entity.ts'
import type { StateChanges } from './state.ts'
import type { TrackingChanges } from './tracking/begin.ts'
import type { OffsetChanges } from './tracking/book.ts'

export interface Output {
  begin(): Promise<void>
  /** What was made of `read` entities of the source, which came to `reached`. */
  write(entities: readonly Entity[], read: number, reached: string | null, state: StateChanges): Promise<void>
  /** What was made of entities that run again; the offsets are saved with it. */
  writeAgain(entities: readonly Entity[], offsets: OffsetChanges): Promise<void>
  /** All that was handed over is stored. */
  settle(): Promise<void>
  /** The run ends before its end: what it needs to be continued is kept. */
  pause(): Promise<void>
  /** The source gave everything; `tracked` is saved with its offset. */
  end(reached: string | null, tracked: TrackingChanges): Promise<void>
}
