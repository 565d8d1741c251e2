/** How long to wait before something that failed is tried again, and the waiting. */

import { setTimeout as wait } from 'node:timers/promises'
import type { RetrySettings } from './settings.ts'

/** The longest pause, whoever asks for it. */
const LONGEST_MS = 15 * 60_000
/** Where delays double, and none is configured. */
const FIRST_MS = 1_000

/** `failures`: in a row, from 1. What the other side asked for (`Retry-After`) counts where it is more. */
export function delayMs(
  backoff: RetrySettings['backoff'],
  configuredMs: number,
  failures: number,
  error: unknown,
): number {
  const delay = backoff === 'constant' ? configuredMs : (configuredMs || FIRST_MS) * 2 ** Math.min(failures - 1, 30)
  return Math.min(LONGEST_MS, Math.max(delay, askedMs(error)))
}

/** Rejects when it is stopped; a pause of no time gives others their turn all the same. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => signal.throwIfAborted())
}

function askedMs(error: unknown): number {
  const { details } = error as { details?: { retryAfterSeconds?: unknown } }
  return typeof details?.retryAfterSeconds === 'number' ? details.retryAfterSeconds * 1000 : 0
}
