/** Whether a pipe may run: what it reads must be populated and indexed, and its breaker must not have tripped (hub.md §2.4). */

import { trippedMessage } from './breaker.ts'
import { PipeError } from './errors.ts'
import { heldOf } from './holding-back.ts'
import type { Run } from './run.ts'

/** Why it may not run yet, or null once all that it reads through is there. */
export async function waitingFor(run: Run, signal: AbortSignal): Promise<string | PipeError | null> {
  const { pipe, snapshot } = run
  const tripped = trippedMessage(pipe.sink, snapshot)
  if (tripped !== null) return tripped
  await assertSink(run)
  for (const id of pipe.reads) {
    const dataset = snapshot.dataset(id)
    if (dataset === undefined) return `waits for dataset '${id}', which does not exist yet`
    if (!dataset.document.populated)
      return `waits for dataset '${id}', which has not been populated by a complete run yet`
  }
  if (pipe.source.requiresPopulatedInput && !pipe.source.populated(snapshot)) {
    return `waits for its input (${pipe.source.inputs.join(', ')}) to be populated`
  }
  for (const index of pipe.indexes) {
    // A source may read a dataset that is not there yet: it is empty.
    if (snapshot.dataset(index.dataset) === undefined) continue
    await unlessAborted(run.ports.assertIndex(index), signal)
  }
  run.position.moveToPresent()
  return waitingForCompleteness(run)
}

/** The scheduler knows when that is there, unless a program says it: then the pipe looks again after a while. */
function waitingForCompleteness(run: Run): PipeError | null {
  const { pipe, snapshot, context } = run
  const held = heldOf(pipe, snapshot, context)
  if ('waits' in held) return new PipeError('waits-for-completeness', held.waits)
  run.heldTo = held.to
  return null
}

/** A dataset that was deleted since the pipe was loaded is made again, as at load: the pipe may hop to it. */
async function assertSink({ pipe: { sink }, ports, position, snapshot }: Run): Promise<void> {
  if (sink.kind !== 'dataset' || snapshot.dataset(sink.dataset) !== undefined) return
  await ports.journal.assertDataset(sink.dataset)
  if (sink.populatedWhen === 'onload') await ports.journal.commit({ populated: [[sink.dataset, true]] })
  position.moveToPresent()
}

/** A run that is stopped does not wait for an index: others may need it, so it is filled all the same. */
export async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  let stop = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop)
  })
  await Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', stop))
}
