/** Where a run's entities go: what the outline of a run asks of its sink. */

import type { Entity } from '../model/entity.ts'
import type { StateChanges } from './state.ts'
import type { TrackingChanges } from './tracking/begin.ts'
import type { OffsetChanges } from './tracking/book.ts'

/** How far the source is once a batch is written. */
export interface Reached {
  /** Entities of the source that the batch was made of. */
  readonly read: number
  /** The bookmark behind it, or of a batch before it. */
  readonly offset: string | null
  /** What the source keeps of its own, stored together with its bookmark. */
  readonly state: StateChanges
}

/** What a run could not write: entities by name, or what nobody knows, because nothing could be made of its source. */
export type Lack = 'nothing' | 'some' | 'unknown'

export interface Output {
  /** A batch is written as a whole, or nothing of it. */
  readonly isTransactional: boolean
  begin(): Promise<void>
  /** What was made of a batch of the source. A failure may show only with the next, or when it is flushed. */
  write(entities: readonly Entity[], reached: Reached): Promise<void>
  /** What was made of entities that run again; the offsets are saved with it. */
  writeAgain(entities: readonly Entity[], offsets: OffsetChanges): Promise<void>
  /** Part of what was made of a batch: stored when it resolves. How far the source is comes with the rest of it. */
  put(entities: readonly Entity[]): Promise<void>
  /** These could not be written. What is there of them is not gone. */
  misses(entities: readonly Entity[]): void
  /** All that was handed over is stored. */
  flush(): Promise<void>
  /** The same, and how far the source is. */
  settle(): Promise<void>
  /** The run ends before its end: what it needs to be continued is kept. */
  pause(): Promise<void>
  /** The source gave everything; `tracked` is saved with its offset. */
  end(reached: string | null, tracked: TrackingChanges, lack: Lack): Promise<void>
}
