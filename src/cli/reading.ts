/** Opens the log of a tenant to be read only: also while a hub runs on the data, from which nothing is claimed. */

import type { Snapshot } from '../log/contract.ts'
import { openLog } from '../log/reader.ts'
import type { Arguments } from './arguments.ts'
import { tenantLogs } from './verify.ts'

export function withLog<T>(given: Arguments, use: (snapshot: Snapshot, path: string) => T): T {
  // There is a default tenant, or the one that was asked for.
  const { path } = tenantLogs(given)[0] as { path: string }
  const log = openLog(path)
  try {
    return use(log.snapshot(), path)
  } finally {
    log.close()
  }
}
