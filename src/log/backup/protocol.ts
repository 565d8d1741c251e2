/** What a process that makes a backup is told, and what it answers. */

import type { Contents } from './contents.ts'

export interface BackupFile {
  readonly name: string
  readonly bytes: number
  readonly sha256: string
}

export type BackupMessage =
  | { readonly type: 'done'; readonly contents: Contents; readonly file: BackupFile }
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly hint: string | undefined }

/** Names of the files of a backup. */
export const FULL_FILE = 'data.mdb'
export const INCREMENT_FILE = 'increment'
