/** Reads a source that may fail: it is read again, from where it came to if it can be continued there (hub.md §8). */

import { performance } from 'node:perf_hooks'
import type { Batch } from '../contract.ts'
import { errorCode, errorProperties } from '../execution/event.ts'
import { SourceChanged } from '../reprocessing/outside.ts'
import type { Run } from '../run.ts'
import { statusOf } from './kinds.ts'
import { delayMs, pause } from './pause.ts'
import { type Patience, patienceFor } from './settings.ts'

/** The batches after `since`. A source that cannot be continued in the middle gives them again after a failure. */
export async function* reading(run: Run, since: string | null, signal: AbortSignal): AsyncGenerator<Batch> {
  const { pipe, tally, log } = run
  const { isChronological, supportsSince } = pipe.source.continuation
  let from = since
  for (let failures = 0; ; ) {
    try {
      for await (const batch of timed(run, from, signal)) {
        yield batch
        if (!isChronological || !supportsSince || batch.offset === null || batch.offset === from) continue
        // What was read does not count any more: it got further.
        from = batch.offset
        failures = 0
      }
      return
    } catch (error) {
      if (signal.aborted || error instanceof SourceChanged) throw error
      tally.readErrors++
      log.happened()
      const { maxReadRetries, readRetryDelayMs } = patienceOf(run, error)
      if (++failures > maxReadRetries) {
        log.add('read-error', { error_code: errorCode(error), ...errorProperties(error as Error) }, run.ports.uuid())
        throw error
      }
      await pause(delayMs(pipe.errors.retries.backoff, readRetryDelayMs, failures, error), signal)
      run.position.moveToPresent()
    }
  }
}

/** The time that is not spent by whoever takes the batches. */
async function* timed(run: Run, since: string | null, signal: AbortSignal): AsyncGenerator<Batch> {
  let begin = performance.now()
  for await (const batch of run.pipe.source.open(run.surroundings()).read(since, signal)) {
    run.tally.sourceSeconds += (performance.now() - begin) / 1000
    yield batch
    begin = performance.now()
  }
  run.tally.sourceSeconds += (performance.now() - begin) / 1000
}

function patienceOf({ pipe, ports }: Run, error: unknown): Patience {
  const { system } = pipe.source.config
  const strategy = typeof system === 'string' ? ports.system(system).retryStrategy : null
  return patienceFor(pipe.errors.retries.patience, strategy, statusOf(error))
}
