/** What a pipe has told another system of how complete it is with what it sent there (rest-api.md §7.1). */

import type { Snapshot } from '../log/contract.ts'
import { type StateChanges, statePrefix } from './state.ts'

/** Microseconds since 1970; what a sink may claim of what it sends. */
export interface Claims {
  /** What is true before all of this run is there; null: nothing can be said, and the receiver says what it likes. */
  readonly before: number | null
  /** What is true once it is. */
  readonly atEnd: number | null
}

const keyOf = (pipe: string): Buffer => Buffer.from(`${statePrefix(pipe)}claimed`)

/**
 * `value` is what the run inherits. Until the run is complete only that holds which held after the one before, and before
 * the first one nothing does. A pipe without inputs of its own claims nothing: `now` is what receivers say anyway.
 */
export function claimsOf(pipe: string, snapshot: Snapshot, value: number | 'now' | undefined): Claims {
  if (typeof value !== 'number') return { before: null, atEnd: null }
  const stored = snapshot.state(keyOf(pipe))
  return { before: stored === undefined ? 0 : Number(Buffer.from(stored).toString()), atEnd: value }
}

export const claimSaved = (pipe: string, { before, atEnd }: Claims): StateChanges =>
  atEnd === null || atEnd === before ? [] : [[keyOf(pipe), Buffer.from(String(atEnd))]]
