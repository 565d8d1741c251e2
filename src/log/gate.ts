/**
 * Keeps a thread from being ended where that would end the process: LMDB's library makes read transactions and
 * cursors in native code, which has no way to fail in a thread that is being ended. Whoever ends a thread closes its gate first; a thread that
 * comes to a closed gate waits there for its end.
 */

import { getEnvironmentData } from 'node:worker_threads'

/** One word: two bits. */
export type Gate = Int32Array

const INSIDE = 1
const CLOSED = 2

/** Under this name a thread finds its own, in its environment data. */
export const GATE = 'samtale:gate'

/** What is inside takes microseconds; it can only be longer on a machine that gives the thread no time. */
const LONGEST_MS = 2_000

export const newGate = (): Gate => new Int32Array(new SharedArrayBuffer(4))

/** Resolves when the thread is not inside, and can no longer come in. */
export async function closeGate(gate: Gate): Promise<void> {
  Atomics.or(gate, 0, CLOSED)
  const until = performance.now() + LONGEST_MS
  while ((Atomics.load(gate, 0) & INSIDE) !== 0 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

const own = getEnvironmentData(GATE) as Gate | undefined

/** Does what a thread must not be ended within. */
export function withinGate<T>(action: () => T): T {
  if (own === undefined) return action()
  if ((Atomics.or(own, 0, INSIDE) & CLOSED) !== 0) awaitEnd(own)
  try {
    return action()
  } finally {
    Atomics.and(own, 0, ~INSIDE)
  }
}

function awaitEnd(gate: Gate): never {
  Atomics.and(gate, 0, ~INSIDE)
  for (;;) Atomics.wait(gate, 0, CLOSED)
}
