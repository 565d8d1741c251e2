/** Opens a log for reading; any number of threads and processes may. */

import type { Snapshot } from './contract.ts'
import { DocumentCache } from './document-cache.ts'
import { readHouse } from './documents.ts'
import { type Environment, openForReading } from './environment.ts'
import { LogError } from './errors.ts'
import { OpenSnapshot } from './snapshot.ts'

export interface LogReader {
  /** A consistent view of the present, to be closed soon: an open one lets the file grow. */
  snapshot(): Snapshot
  /** A copy of one moment, without free pages, into an empty folder that is there. Writers go on meanwhile. */
  copyTo(folder: string): Promise<void>
  /** Closes all snapshots, too. */
  close(): void
}

/** In the process of the writer: only once the writer is there. */
export function openLog(path: string): LogReader {
  const environment = openForReading(path)
  try {
    checkLayout(environment)
  } catch (error) {
    void environment.close()
    throw error
  }
  const documents = new DocumentCache(environment)
  const snapshots = new Set<OpenSnapshot>()
  let isClosed = false
  return {
    snapshot() {
      if (isClosed) throw new LogError('closed', 'The log is closed.')
      const snapshot = new OpenSnapshot(environment, documents, () => snapshots.delete(snapshot))
      snapshots.add(snapshot)
      return snapshot
    },
    copyTo: (folder) => environment.copyTo(folder),
    close() {
      if (isClosed) return
      isClosed = true
      for (const snapshot of snapshots) snapshot.close()
      // Nothing waits in an environment that only reads: it is closed when this returns.
      void environment.close()
    },
  }
}

/** Throws `unknown-layout`. */
function checkLayout(environment: Environment): void {
  const transaction = environment.read()
  try {
    readHouse(environment, transaction)
  } finally {
    environment.release(transaction)
  }
}
