/** Why the log could not be written, as the file system tells it: LMDB says no more than that writing failed. */

import { statfsSync } from 'node:fs'
import { LogError } from './errors.ts'

/** Below this a commit may not have found room: LMDB writes some pages of each table, and a large batch many. */
const LITTLE = 64 * 1024 ** 2

export function storageFailed(path: string, error: unknown): LogError {
  const reason = error instanceof Error ? error.message : String(error)
  const free = freeBytes(path)
  if (free !== undefined && free < LITTLE) {
    return new LogError(
      'storage-failed',
      `The log could not be written: the disk of ${path} has ${sizeOf(free)} left (${reason}).`,
      {
        cause: error,
        details: { path, free },
        hint: 'Make room on that disk. Nothing of this commit was stored; pipes go on by themselves once there is room.',
      },
    )
  }
  return new LogError('storage-failed', `The log in ${path} could not be written: ${reason}`, {
    cause: error,
    details: { path, ...(free === undefined ? {} : { free }) },
    hint: 'Check that the disk of the data folder works and can be written. Nothing of this commit was stored.',
  })
}

function freeBytes(path: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize
  } catch {
    return undefined
  }
}

const sizeOf = (bytes: number): string =>
  bytes < 1e6 ? `${Math.floor(bytes / 1e3)} kB` : `${Math.floor(bytes / 1e6)} MB`
