/** One run of one pipe: read what is new, transform it, write it, and remember how far it came (hub.md §5.3). */

import type { Beside } from './beside/beside.ts'
import { beginBeside, type Joined } from './beside/besides.ts'
import { IncrementalOutput } from './beside/incremental-output.ts'
import { type ReadSoFar, readBesideState } from './beside/read-state.ts'
import { RescanOutput } from './beside/rescan-output.ts'
import { exposeRun, isTrip, tripBreaker } from './breaker.ts'
import { DatasetOutput } from './dataset-output.ts'
import { PipeError } from './errors.ts'
import { ExternalOutput } from './external-output.ts'
import { fullRunForgotten, type Plan, planRun, sourceOffset, voidFullRun } from './full-run.ts'
import type { Output } from './output.ts'
import type { Pipe, PipeSink } from './pipe.ts'
import { waitingFor } from './readiness.ts'
import { followChange, heard, SourceChanged } from './reprocessing/outside.ts'
import { checkSync, noteHealing } from './reprocessing/reprocess.ts'
import { Delivery, heapBytes } from './retries/delivery.ts'
import { reading } from './retries/reading.ts'
import { Run } from './run.ts'
import type { RunPorts } from './run-ports.ts'
import type { RunReport } from './run-report.ts'
import type { RunOrder } from './schedule.ts'
import { askToBeTold } from './subscription.ts'
import { assertTracked, beginTracking, NOTHING_TRACKED, trackedByFullRun, whyNotTracked } from './tracking/begin.ts'
import { Thresholds, TooManyDependants } from './tracking/thresholds.ts'
import { Tracker } from './tracking/tracker.ts'

export async function runPipe(pipe: Pipe, ports: RunPorts, order: RunOrder, stop: AbortSignal): Promise<RunReport> {
  let signal = stop
  const run = new Run(pipe, ports, order)
  let joined: Joined | null = null
  try {
    const waiting = await waitingFor(run, signal)
    if (waiting !== null) return await run.end('waiting', waiting)
    joined = (await ports.besides?.join(run, order)) ?? null
    if (joined !== null && joined.waiting !== null) return await run.end('waiting', joined.waiting)
    run.beside = joined?.beside ?? null
    await run.begin()
    await checkSync(run)
    if (run.beside !== null && !run.isBackground) {
      const ended = await beginBeside(run, run.beside)
      if (ended instanceof PipeError) return await run.end('waiting', ended)
      signal = AbortSignal.any([stop, ended])
    }
    if (!run.isBackground) run.hear = (said, since) => heard(run, said, since)
    try {
      await moveWithin(run, order, signal)
    } catch (error) {
      if (isTrip(error)) await trip(run)
      throw error
    } finally {
      await expose(run)
    }
    if (order.webhook !== undefined && !signal.aborted) await askToBeTold(run, order.webhook, signal)
    return await run.end(signal.aborted ? 'interrupted' : 'completed', null)
  } catch (error) {
    return signal.aborted ? await run.end('interrupted', null) : await run.end('failed', error as Error)
  } finally {
    await run.close()
    if (joined !== null && joined.waiting === null) ports.besides?.leave(run, joined)
  }
}

/** What depends on other datasets is followed back, unless there is too much of it, or nobody knows any more what did. */
async function moveWithin(run: Run, order: RunOrder, signal: AbortSignal): Promise<void> {
  // Beside it incremental runs go on, which follow dependencies.
  if (order.isBackground === true) return move(run, await planned(run, order), signal, { isTracking: false })
  const why = whyNotTracked(run)
  if (why !== null) noteReset(run, why)
  try {
    await move(run, await planned(run, why === null ? order : RESCAN), signal)
  } catch (error) {
    if (error instanceof SourceChanged) return followed(run, order, signal)
    if (!(error instanceof TooManyDependants) || run.pipe.reprocessing.policy !== 'automatic') throw error
    noteReset(run, error.message)
    await move(run, await planned(run, RESCAN), signal)
  }
}

/** The source turned out to be another one: the pipe goes on, or begins anew, where that wants it. */
async function followed(run: Run, order: RunOrder, signal: AbortSignal): Promise<void> {
  await followChange(run)
  await move(run, await planned(run, order), signal)
}

const RESCAN: RunOrder = { kind: 'rescan' }

function noteReset({ pipe, ports, tally }: Run, why: string): void {
  tally.tracking.reset = why
  ports.logger.warn(`Pipe '${pipe.id}' reads all again: ${why}.`, { pipe: pipe.id })
}

/** How it goes about reading; remains of a full run that nobody can continue become void. */
async function planned(run: Run, { kind }: RunOrder): Promise<Plan> {
  const { pipe, ports, snapshot } = run
  const plan = run.isBackground ? planBeside(run) : planRun(pipe, snapshot, kind)
  run.syncType = plan.syncType
  await noteHealing(run, plan)
  run.log.planned(plan.syncType)
  if (kind === 'partial' && plan.syncType === 'incremental') {
    ports.logger.warn(`Pipe '${pipe.id}' cannot go back from the offset '${plan.since}': it is no number and no time.`)
  }
  if (plan.hasRemains) await voidFullRun(pipe.id, run.present, (state) => run.commit({ state }))
  return plan
}

/** It goes on where it was interrupted. */
const planBeside = ({ beside, pipe }: Run): Plan => ({
  syncType: 'full',
  since: beside?.reached ?? pipe.source.initialSince,
  resumed: null,
  hasRemains: false,
})

/** All that is to be written, from the source to the sink. */
async function move(run: Run, plan: Plan, signal: AbortSignal, { isTracking } = { isTracking: true }): Promise<void> {
  const isFull = plan.syncType === 'full'
  if (isTracking) await beginTracking(run, { isFull, isResumed: plan.resumed !== null })
  const output = outputOf(run, plan, signal)
  await output.begin()
  const delivery = new Delivery(run, output, signal)
  // A read of everything brings again what waits to be retried; any other would not.
  const readsAll = run.isFull && plan.resumed === null
  // Beside a rescan what waits is left alone (hub.md §6.3).
  const retries = !readsAll && run.beside === null
  let reached: string | null = null
  try {
    if (retries) await delivery.retry()
    if (isTracking && !isFull && plan.since !== null) await runAgain(run, plan.since, delivery, signal)
    reached = await readAll(run, plan, delivery, signal)
    await output.settle()
    // A background rescan is not alone: what waits since it began is not its own.
    if (readsAll && isTracking && !signal.aborted) await delivery.forgetGone()
  } catch (error) {
    // What was handed over before is being stored all the same, and counts.
    await output.settle().catch(() => {})
    run.dropNotes()
    await output.pause().catch(() => {})
    throw error
  }
  if (signal.aborted) return output.pause()
  assertNotEmpty(run, plan)
  const tracked = isTracking && isFull ? trackedByFullRun(run) : NOTHING_TRACKED
  await output.end(reached ?? (plan.resumed === null ? null : plan.since), tracked, delivery.lack)
  if (plan.hasRemains && !signal.aborted) await run.commit({ state: fullRunForgotten(run.pipe.id) })
}

/** What depends on changes of other datasets, before the source is read. */
async function runAgain(run: Run, since: string, delivery: Delivery, signal: AbortSignal): Promise<void> {
  const { pipe, ports, position } = run
  if (pipe.tracking === null) return
  const thresholds = new Thresholds(pipe.id, pipe.trackingLimits, ports.logger)
  const tracker = new Tracker(run, pipe.tracking, pipe.source.open(run.surroundings()), since, { thresholds })
  if (!tracker.isDue) return
  await assertTracked(run, signal)
  for await (const { entities, offsets } of inTurns(run, tracker.pages(signal))) {
    if (signal.aborted) break
    await delivery.deliverAgain(entities, offsets)
    run.log.look(run.tally)
    position.moveToPresent()
    await ports.relieve?.(pipe)
    await ports.turn?.pass()
  }
}

/**
 * Gives how far the source came. An entity that changes while all is read moves behind the end that the read began with,
 * from a place that the read has not come to: it would not be seen, and taken for gone. So a full run of datasets goes on
 * behind its end until what is left is read in one moment. Whoever changes after that had been seen before.
 */
async function readAll(run: Run, plan: Plan, delivery: Delivery, signal: AbortSignal): Promise<string | null> {
  if (run.isBackground && run.beside !== null) return readBeside(run, run.beside, plan, delivery, signal)
  let { reached, batches } = await readSource(run, plan.since, delivery, signal)
  const { inputs, continuation } = run.pipe.source
  if (!run.isFull || inputs.length === 0 || !continuation.isChronological) return reached
  for (let round = 0; reached !== null && batches > 1 && round < MAX_ROUNDS && !signal.aborted; round++) {
    const more = await readSource(run, reached, delivery, signal)
    batches = more.batches
    reached = more.reached ?? reached
  }
  return reached
}

/**
 * A rescan reads up to where the first run beside it began. What those runs have not come to yet it reads as well, as
 * above, so that nothing is taken for gone that they are about to bring.
 */
async function readBeside(
  run: Run,
  beside: Beside,
  { since }: Plan,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<string | null> {
  const read = (from: string | null) => readSource(run, from, delivery, signal)
  if (beside.makesState) return readBesideState(run, beside, read, signal)
  let { reached, batches } = await readSource(run, since, delivery, signal, () => beside.isAtLimit)
  reached ??= since
  if (!run.pipe.source.continuation.isChronological) return reached
  for (let round = 0; reached !== null && !signal.aborted && round < MAX_ROUNDS; round++) {
    const isOthers = beside.limit !== null
    if (!isOthers && batches <= 1) break
    const stored = run.present().offset(sourceOffset(run.pipe.id)) ?? null
    const more = await read(isOthers ? (stored ?? reached) : reached)
    batches = more.batches
    reached = more.reached ?? reached
    // A run that began in the meantime is asked for once more where it came to.
    if (batches <= 1 && isOthers === (beside.limit !== null)) break
  }
  return reached
}

/** Where changes come faster than they are read, there is no such moment. */
const MAX_ROUNDS = 100

async function readSource(
  run: Run,
  since: string | null,
  delivery: Delivery,
  signal: AbortSignal,
  isEnough = () => false,
): Promise<ReadSoFar> {
  const { pipe, ports, position, tally, log } = run
  let reached: string | null = null
  let batches = 0
  await ports.turn?.pass()
  for await (const { entities, offset, state = [] } of inTurns(run, reading(run, since, signal))) {
    if (signal.aborted) break
    batches++
    const heap = heapBytes()
    reached = offset ?? reached
    await delivery.deliver(entities, { read: entities.length, offset: reached, state })
    tally.batchBytes = Math.max(tally.batchBytes, heapBytes() - heap)
    tally.peakBytes = Math.max(tally.peakBytes, heapBytes())
    log.look(tally)
    ports.progress?.(tally.read)
    position.moveToPresent()
    await ports.relieve?.(pipe)
    await ports.turn?.pass()
    if (isEnough()) break
  }
  return { reached, batches }
}

/** Where there is another run of the pipe, a batch is read, made and stored while that one waits. */
function inTurns<T>({ beside, pipe, position }: Run, batches: AsyncIterable<T>): AsyncIterable<T> {
  return beside?.turns.each(batches, () => position.moveToPresent(), pipe.source.inputs.length === 0) ?? batches
}

function outputOf(run: Run, plan: Plan, signal: AbortSignal): Output {
  const { id, sink } = run.pipe
  if (sink.kind === 'dataset') return datasetOutput(run, sink, plan, signal)
  if (sink.kind === 'external') return new ExternalOutput(run, sink, signal)
  throw new PipeError('nothing-to-run', `Pipe '${id}' is a publisher: it runs when it is asked.`)
}

function datasetOutput(run: Run, sink: PipeSink & { kind: 'dataset' }, plan: Plan, signal: AbortSignal): Output {
  const { beside, isBackground } = run
  if (beside !== null && isBackground) return new RescanOutput(run, sink, beside, signal)
  const output = new DatasetOutput(run, sink, plan.resumed, signal)
  return beside === null ? output : new IncrementalOutput(run, sink.dataset, output, beside)
}

function assertNotEmpty(run: Run, plan: Plan): void {
  const { id, source } = run.pipe
  const before = plan.resumed?.read ?? (run.isBackground ? run.beside?.read : 0) ?? 0
  if (!run.isFull || !source.failsWhenEmpty || run.tally.read + before > 0) return
  throw new PipeError('source-empty', `The source of pipe '${id}' returned nothing, and if_source_empty is 'fail'.`, {
    hint: 'Nothing was deleted. Check the source, or set if_source_empty to accept.',
  })
}

/** However the run ended: what it wrote becomes visible, unless its circuit breaker tripped. */
async function expose({ pipe: { sink }, ports, token }: Run): Promise<void> {
  if (sink.kind === 'dataset') await exposeRun(ports, sink, token)
}

/** Its program says that what it wrote must not become visible before somebody has looked at it. */
async function trip({ pipe: { sink }, ports, token }: Run): Promise<void> {
  if (sink.kind === 'dataset') await tripBreaker(ports, sink, token)
}
