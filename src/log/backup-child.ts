/** Entry of the process that makes a backup: `backup-child LOG FOLDER [FILE]`, where FILE says as JSON what was backed up before. */

import { readFileSync } from 'node:fs'
import type { Contents } from './backup/contents.ts'
import type { BackupMessage } from './backup/protocol.ts'
import { writeFull, writeSince } from './backup/write.ts'
import { tell } from './child.ts'
import type { LogError } from './errors.ts'

const [, , path, folder, before] = process.argv as [string, string, string, string, string | undefined]
try {
  const written =
    before === undefined
      ? await writeFull(path, folder)
      : writeSince(path, folder, (JSON.parse(readFileSync(before, 'utf8')) as { readonly contents: Contents }).contents)
  await tell({ type: 'done', ...written } satisfies BackupMessage)
} catch (error) {
  const { code = 'storage-failed', message, hint } = error as LogError
  await tell({ type: 'failed', code, message, hint } satisfies BackupMessage)
}
process.disconnect?.()
