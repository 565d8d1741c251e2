/** One pass over all pipes of a tenant, each after those that write what it reads: what a batch job and the pipe runner share. */

import type { Pipe } from '../pipes/pipe.ts'
import { runsByPump } from '../pipes/pipe.ts'

/** A pump that is off is left alone, as everywhere. */
export const runsInPasses = (pipe: Pipe): boolean => runsByPump(pipe) && pipe.pump.mode !== 'off'

/** Runs the pipes of each level at once, and the levels one after the other; gives what became of each. */
export async function runPass<R>(
  levels: readonly (readonly Pipe[])[],
  run: (pipe: Pipe) => Promise<R>,
  signal: AbortSignal,
): Promise<readonly (readonly [Pipe, R])[]> {
  const done: (readonly [Pipe, R])[] = []
  for (const level of levels) {
    if (signal.aborted) break
    done.push(...(await Promise.all(level.map(async (pipe) => [pipe, await run(pipe)] as const))))
  }
  return done
}
