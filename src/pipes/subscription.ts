/** After a run, its source is asked to say when there is more (hub.md §5.5). */

import type { Webhook } from './contract.ts'
import { sourceOffset } from './full-run.ts'
import type { Run } from './run.ts'

/** Signals are a help, and the schedule goes on without them: that nobody promises one is told, and no failure of the run. */
export async function askToBeTold(run: Run, webhook: Webhook, signal: AbortSignal): Promise<void> {
  const { pipe, ports } = run
  const since = run.present().offset(sourceOffset(pipe.id)) ?? null
  try {
    await pipe.source.subscribe(run.surroundings(), since, webhook, signal)
  } catch (error) {
    if (signal.aborted) return
    const { message } = error as Error
    ports.logger.warn(`Pipe '${pipe.id}' will not be told of news by its source, only by its schedule: ${message}`)
  }
}
