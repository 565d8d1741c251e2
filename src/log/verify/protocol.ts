/** What a verifying process says to the one that started it. */

import type { Finding, Place, Walked } from './finding.ts'

export type VerifyMessage =
  | { readonly type: 'finding'; readonly finding: Finding }
  | { readonly type: 'progress'; readonly walked: Walked; readonly place: Place }
  | { readonly type: 'done'; readonly walked: Walked; readonly findings: number }
  /** There is nothing to verify: no log, or one of another layout. */
  | { readonly type: 'refused'; readonly code: string; readonly message: string; readonly hint: string | undefined }
