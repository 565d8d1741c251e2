/** One run of one pipe: read what is new, transform it, write it, and remember how far it came (hub.md §5.3). */

import { exposeRun, isTrip, tripBreaker } from './breaker.ts'
import { DatasetOutput } from './dataset-output.ts'
import { PipeError } from './errors.ts'
import { ExternalOutput } from './external-output.ts'
import { fullRunForgotten, type Plan, planRun, voidFullRun } from './full-run.ts'
import type { Output } from './output.ts'
import type { Pipe } from './pipe.ts'
import { waitingFor } from './readiness.ts'
import { Run } from './run.ts'
import type { RunPorts } from './run-ports.ts'
import type { RunReport } from './run-report.ts'
import type { RunOrder } from './schedule.ts'
import { transformBatch } from './transform-batch.ts'

export async function runPipe(pipe: Pipe, ports: RunPorts, order: RunOrder, signal: AbortSignal): Promise<RunReport> {
  const run = new Run(pipe, ports)
  try {
    const waiting = await waitingFor(run, signal)
    if (waiting !== null) return run.report('waiting', waiting)
    await run.begin()
    try {
      await move(run, await planned(run, order), signal)
    } catch (error) {
      if (isTrip(error)) await trip(run)
      throw error
    } finally {
      await expose(run)
    }
    return run.report(signal.aborted ? 'interrupted' : 'completed', null)
  } catch (error) {
    if (signal.aborted) return run.report('interrupted', null)
    return run.report('failed', error as Error)
  } finally {
    await run.close()
  }
}

/** How it goes about reading; remains of a full run that nobody can continue become void. */
async function planned(run: Run, { kind }: RunOrder): Promise<Plan> {
  const { pipe, ports, snapshot } = run
  const plan = planRun(pipe, snapshot, kind)
  run.syncType = plan.syncType
  if (kind === 'partial' && plan.syncType === 'incremental') {
    ports.logger.warn(`Pipe '${pipe.id}' cannot go back from the offset '${plan.since}': it is no number and no time.`)
  }
  if (plan.hasRemains) await voidFullRun(pipe.id, run.present, (state) => run.commit({ state }))
  return plan
}

/** All that is to be written, from the source to the sink. */
async function move(run: Run, plan: Plan, signal: AbortSignal): Promise<void> {
  const output = outputOf(run, plan, signal)
  await output.begin()
  let reached: string | null = null
  try {
    reached = await readSource(run, plan, output, signal)
    await output.settle()
  } catch (error) {
    // What was handed over before is being stored all the same, and counts.
    await output.settle().catch(() => {})
    await output.pause().catch(() => {})
    throw error
  }
  if (signal.aborted) return output.pause()
  assertNotEmpty(run, plan)
  await output.end(reached ?? (plan.resumed === null ? null : plan.since))
  if (plan.hasRemains && !signal.aborted) await run.commit({ state: fullRunForgotten(run.pipe.id) })
}

/** Gives how far the source came. */
async function readSource(run: Run, plan: Plan, output: Output, signal: AbortSignal): Promise<string | null> {
  const { pipe, ports, position, context, tally } = run
  let reached: string | null = null
  const source = pipe.source.open(run.surroundings())
  for await (const { entities, offset, state = [] } of source.read(plan.since, signal)) {
    if (signal.aborted) break
    tally.read += entities.length
    reached = offset ?? reached
    const made = await transformBatch(pipe, entities, context, { signal })
    await output.write(made, entities.length, reached, state)
    ports.progress?.(tally.read)
    position.moveToPresent()
    await ports.relieve?.(pipe)
  }
  return reached
}

function outputOf(run: Run, plan: Plan, signal: AbortSignal): Output {
  const { id, sink } = run.pipe
  if (sink.kind === 'dataset') return new DatasetOutput(run, sink, plan.resumed, signal)
  if (sink.kind === 'external') return new ExternalOutput(run, sink, signal)
  throw new PipeError('nothing-to-run', `Pipe '${id}' is a publisher: it runs when it is asked.`)
}

function assertNotEmpty(run: Run, plan: Plan): void {
  const { id, source } = run.pipe
  if (!run.isFull || !source.failsWhenEmpty || run.tally.read + (plan.resumed?.read ?? 0) > 0) return
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
