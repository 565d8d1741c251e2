/** Verifies a tenant's log in a process of its own, since a damaged page can end the process that reads it. */

import { type Ended, runChild } from '../log/child.ts'
import { type Finding, nothingWalked, type Place, type Walked } from '../log/verify/finding.ts'
import type { VerifyMessage } from '../log/verify/protocol.ts'
import { HubError } from './errors.ts'

export interface VerifyHooks {
  found?(finding: Finding): void
  progress?(walked: Walked, place: Place): void
  readonly signal?: AbortSignal
}

export interface Verified {
  readonly walked: Walked
  readonly findings: number
}

/** A process that says nothing for so long hangs: the longest single step is to read and check 256 rows. */
const SILENCE_MS = 120_000

/** `path`: the folder of the log. The end of the process that reads is a finding, and says how far it came. */
export async function verifyInChild(path: string, { found, progress, signal }: VerifyHooks = {}): Promise<Verified> {
  let done: Verified | null = null
  let refused: HubError | null = null
  let walked = nothingWalked()
  let findings = 0
  let place: Place = {}
  const hear = (message: VerifyMessage) => {
    if (message.type === 'finding') {
      findings++
      found?.(message.finding)
    } else if (message.type === 'progress') {
      walked = message.walked
      place = message.place
      progress?.(walked, place)
    } else if (message.type === 'done') {
      done = { walked: message.walked, findings: message.findings }
    } else {
      const { code, message: text, hint } = message
      refused = new HubError(code, text, hint === undefined ? {} : { hint })
    }
  }
  const ended = await runChild<VerifyMessage>(import.meta.url, './verify-child.ts', {
    args: [path],
    hear,
    silenceMs: SILENCE_MS,
    ...(signal === undefined ? {} : { signal }),
  })
  signal?.throwIfAborted()
  if (refused !== null) throw refused
  if (done !== null) return done
  found?.({ law: 'reader-died', message: deathOf(ended), place })
  return { walked, findings: findings + 1 }
}

function deathOf({ code, signal, isSilent, said }: Ended): string {
  if (isSilent) return `The process that read the log did not move for ${SILENCE_MS / 1000} s and was ended.`
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`
  const last = said.trim().split('\n').at(-1)
  return `The process that read the log was ended ${how}${last ? `: ${last}` : ''}. Nothing behind this place was looked at.`
}
