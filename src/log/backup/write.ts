/** Writes a backup of a log into an empty folder: a copy of one moment, or what is new since an earlier backup. Writers go on. */

import { createHash } from 'node:crypto'
import { closeSync, createReadStream, fsyncSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { LogError } from '../errors.ts'
import { openLog } from '../reader.ts'
import type { OpenSnapshot } from '../snapshot.ts'
import { quickLook } from '../verify/quick.ts'
import { type Contents, contentsOf } from './contents.ts'
import { writeIncrement } from './increment.ts'
import { type BackupFile, FULL_FILE, INCREMENT_FILE } from './protocol.ts'
import { RecordWriter } from './record-file.ts'

interface WrittenBackup {
  readonly contents: Contents
  readonly file: BackupFile
}

/** A copy without free pages. */
export async function writeFull(path: string, folder: string): Promise<WrittenBackup> {
  const log = openLog(path)
  await log.copyTo(folder)
  log.close()
  const { isSound, message } = quickLook(folder)
  if (!isSound) throw new LogError('broken-row', `The log in ${path} is damaged: ${message}`, { details: { path } })
  const copy = openLog(folder)
  const snapshot = copy.snapshot()
  const contents = contentsOf(snapshot)
  copy.close()
  return { contents, file: await fileOf(folder, FULL_FILE) }
}

/** What is new since `then`, with which a backup was made before. */
export function writeSince(path: string, folder: string, then: Contents): WrittenBackup {
  const log = openLog(path)
  try {
    const snapshot = log.snapshot() as OpenSnapshot
    const contents = contentsOf(snapshot)
    const file = new RecordWriter(join(folder, INCREMENT_FILE))
    writeIncrement(snapshot, then, contents, file)
    return { contents, file: { name: INCREMENT_FILE, ...file.finish() } }
  } finally {
    log.close()
  }
}

/** Its size and hash, once it is on disk. */
export async function fileOf(folder: string, name: string): Promise<BackupFile> {
  const path = join(folder, name)
  const file = openSync(path, 'r')
  fsyncSync(file)
  closeSync(file)
  const hash = createHash('sha256')
  let bytes = 0
  for await (const part of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(part as Buffer)
    bytes += (part as Buffer).length
  }
  return { name, bytes, sha256: hash.digest('hex') }
}
