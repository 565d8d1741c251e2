/** Puts a log together again from a full backup and the increments on it, in a folder of its own. */

import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { openForWriting } from '../environment.ts'
import { LogError } from '../errors.ts'
import { openLog } from '../reader.ts'
import { applyIncrement, markRestored } from './apply.ts'
import { type Contents, contentsOf, type DatasetContents } from './contents.ts'
import { FULL_FILE } from './protocol.ts'

/** `increments`: their files, oldest first; `uuid` becomes the restore UUID of each dataset. `folder` is empty. */
export async function restoreLog(
  full: string,
  increments: readonly string[],
  folder: string,
  uuid: string,
): Promise<void> {
  copyFileSync(full, join(folder, FULL_FILE))
  const environment = openForWriting(folder)
  try {
    for (const increment of increments) applyIncrement(environment, increment)
    markRestored(environment, uuid)
  } finally {
    await environment.close()
  }
}

/** Throws `bad-backup` when the restored log has not the datasets, counts and sums that the backup says. */
export function compareContents(folder: string, { datasets }: Contents): void {
  const log = openLog(folder)
  const snapshot = log.snapshot()
  const restored = contentsOf(snapshot).datasets.map((one) => {
    // A restored dataset has a generation of its own, and tells the former one.
    const { restore } = snapshot.dataset(one.id)?.document ?? { restore: null }
    return { ...one, generation: restore?.generation ?? one.generation }
  })
  log.close()
  const told = (all: readonly DatasetContents[]) =>
    JSON.stringify(
      all.map(({ id, number, generation, end, existing, deleted, sums }) => [
        id,
        number,
        generation,
        end,
        existing,
        deleted,
        sums,
      ]),
    )
  if (told(restored) === told(datasets)) return
  throw new LogError('bad-backup', 'What was restored is not what the backup says: counts or sums differ.', {
    details: { folder },
    hint: 'Restore an earlier backup.',
  })
}
