/** What a run works with; given by the thread it runs on. */

import type { Journal } from '../log/contract.ts'
import type { LogReader } from '../log/reader.ts'
import type { Naming } from '../model/iri.ts'
import type { Besides } from './beside/besides.ts'
import type { NeededIndex } from './contract.ts'
import type { IndexCompiler } from './dataset-writer.ts'
import type { Logger } from './logger.ts'
import type { FoundBefore } from './lookup.ts'
import type { Pipe } from './pipe.ts'
import type { PipeSchemas } from './schema/pipe-schemas.ts'
import type { Secrets } from './secrets.ts'
import type { SystemPort } from './systems/contract.ts'
import type { Turn } from './turn.ts'

export interface RunPorts {
  readonly journal: Journal
  readonly log: LogReader
  readonly found: FoundBefore
  readonly indexes: IndexCompiler
  readonly logger: Logger
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly uuid: () => string
  readonly naming: Naming
  system(id: string | undefined): SystemPort
  /** Absent: there are none. */
  readonly secrets?: Secrets
  /** Resolves when the dataset has the index and it is complete. */
  assertIndex(index: NeededIndex): Promise<void>
  /** Declares an index, which is filled in the background. */
  keepIndex(dataset: string, expression: string): Promise<void>
  /** Resolves when the dataset of the pipe may go on growing: compaction must not fall far behind. */
  relieve?(pipe: Pipe): Promise<void>
  /** On a thread that others use, too. */
  readonly turn?: Turn
  /** Where it is counted what entities look like; absent: it is not. */
  readonly schemas?: PipeSchemas
  /** Background rescans; absent: there are none. */
  readonly besides?: Besides
  /** Bytes with which a batch is full, on its way in and out; absent: 8 MB. */
  readonly batchBytes?: number
  /** Called now and then with what has been read so far. */
  progress?(read: number): void
}
