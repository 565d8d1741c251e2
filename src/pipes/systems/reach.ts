/** Whether a system answers: one request for nothing, whatever comes back (rest-api.md §3.6). */

import type { SystemPort } from './contract.ts'

export interface Reach {
  readonly running: boolean
  /** Where the answer came from, secrets masked. */
  readonly address?: string
  readonly status?: number
  readonly reason?: string
}

const PATIENCE_MS = 10_000

export async function reachOf(system: SystemPort, signal: AbortSignal): Promise<Reach> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)])
  try {
    const { status, address, body } = await system.request({ method: 'HEAD', url: '' }, patience)
    for await (const _ of body) break
    return { running: true, status, address }
  } catch (error) {
    const { code, message, details } = error as Error & { code?: string; details?: { address?: string } }
    // Files of this machine are read, and not asked: there is nobody who could be away.
    if (code === 'bad-request' && details?.address?.startsWith('file:') === true) {
      return { running: true, address: details.address }
    }
    signal.throwIfAborted()
    return {
      running: false,
      reason: patience.aborted ? `It did not answer within ${PATIENCE_MS / 1_000} s.` : system.mask(message),
    }
  }
}
