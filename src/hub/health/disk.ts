/** How much room there is on the disk of a folder. */

import { statfs } from 'node:fs/promises'
import type { Disk } from './assess.ts'

/** Null when nobody can tell: the folder is not there yet, or its file system does not say. */
export async function diskOf(what: Disk['what'], path: string): Promise<Disk | null> {
  try {
    const { bavail, blocks, bsize } = await statfs(path)
    return blocks > 0 ? { what, path, freeBytes: bavail * bsize, totalBytes: blocks * bsize } : null
  } catch {
    return null
  }
}
