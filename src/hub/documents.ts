/** The JSON documents of pipes, pumps, systems and datasets, in the shapes of rest-api.md §2. */

import { elementsOf, type Problem } from '../config/problems.ts'
import type { DatasetView, Snapshot } from '../log/contract.ts'
import { type Dict, dictOf, entries } from '../model/dict.ts'
import { writeJson } from '../model/json.ts'
import type { Value } from '../model/value.ts'
import { interruptedBeside } from '../pipes/beside/remains.ts'
import { exactnessOf } from '../pipes/exactness/exactness.ts'
import { interruptedRun, sourceOffset } from '../pipes/full-run.ts'
import { originOf } from '../pipes/origin.ts'
import { isPublisher, isReceiver, type Pipe, runsByPump } from '../pipes/pipe.ts'
import { outOfSync } from '../pipes/reprocessing/reprocess.ts'
import { pendingCount } from '../pipes/retries/queue.ts'
import { readUpTo } from '../pipes/sources/bookmarks.ts'
import { trackedTo } from '../pipes/tracking/offsets.ts'
import type { PipePart } from './contract.ts'
import type { DeployedComponent, DeployedPipe } from './deployment.ts'
import { unpopulatedNow } from './exactness.ts'
import { supportedOperations } from './operations.ts'
import type { PumpCounters } from './pump-counters.ts'
import type { PumpState } from './pump-state.ts'

/** With the parts that are wanted; only they are worked out. */
export function pipeDocument(
  deployed: DeployedPipe,
  state: PumpState,
  snapshot: Snapshot,
  wanted: readonly PipePart[],
  /** Roles of who saved it. */
  principals: readonly string[],
): string {
  const { component, pipe } = deployed
  const sink = pipe?.sink.kind === 'dataset' ? snapshot.dataset(pipe.sink.dataset) : undefined
  const parts: Readonly<Record<PipePart, () => string>> = {
    config: () => configText({ component, effective: withPrincipals(deployed.effective, principals) }),
    runtime: () => JSON.stringify(pipeRuntime(deployed, state, snapshot, sink)),
    storage: () => JSON.stringify(sink === undefined ? {} : counts(sink)),
    graph: () => JSON.stringify(pipeGraph(pipe)),
  }
  const texts = wanted.map((part) => `,"${part}":${parts[part]()}`)
  return `{"_id":${JSON.stringify(component.id)}${texts.join('')}}`
}

const withPrincipals = (effective: Dict, principals: readonly string[]): Dict =>
  dictOf([...entries(effective), ['principals', principals as Value]])

const configText = ({ component, effective }: Pick<DeployedComponent, 'component' | 'effective'>): string =>
  `{"original":${component.text},"effective":${writeJson(effective, { transit: false })}}`

function pipeRuntime(
  { component, effective, pipe, problems, inexact }: DeployedPipe,
  state: PumpState,
  snapshot: Snapshot,
  sink: DatasetView | undefined,
): object {
  return {
    state: state.isDeploying ? 'Deploying' : pipe === null ? 'Failed' : 'Deployed',
    'is-valid-config': pipe !== null,
    'is-running': isRunning(state),
    'is-disabled': state.isDisabled,
    'config-errors': configErrors(problems),
    'circuit-breaker-tripped': sink?.document.isTripped ?? false,
    exactness: pipe === null ? null : exactnessOf([...inexact, ...unpopulatedNow(pipe, snapshot)]),
    'out-of-sync': reasons(pipe, snapshot),
    dependencies: pipe === null ? [] : [...new Set([...pipe.source.inputs, ...pipe.reads])],
    queues: pipe === null ? { source: null, dependencies: null } : queues(pipe, snapshot),
    'execution-dataset': `system:pump_execution:${component.id}`,
    origin: originOf(effective),
  }
}

/** What feeds it, and what it feeds. */
const pipeGraph = (pipe: Pipe | null): object => ({
  inputs: pipe?.source.inputs ?? [],
  lookups: pipe?.reads ?? [],
  output: pipe?.sink.kind === 'dataset' ? pipe.sink.dataset : null,
})

/** What the hub knows of a pump beside its state. */
export interface Outlook {
  /** The thread on which it runs, as /api/status numbers them. */
  readonly thread: number | null
  readonly nextRunAt: number | null
  /** Why the node does not let it run by itself. */
  readonly hindrance: string | null
  /** What it did since the hub started. */
  readonly counters: PumpCounters
}

export function pumpDocument(deployed: DeployedPipe, state: PumpState, outlook: Outlook, snapshot: Snapshot): string {
  const { component, pipe } = deployed
  const { last } = state
  const runtime = {
    'is-running': isRunning(state),
    'is-disabled': state.isDisabled,
    'is-valid-config': pipe !== null,
    'config-errors': configErrors(deployed.problems),
    'last-seen': snapshot.offset(sourceOffset(component.id)) ?? null,
    'full-run': fullRun(pipe, snapshot),
    'out-of-sync': reasons(pipe, snapshot),
    'last-run': isoTime(state.lastStartedAt),
    'next-run': isoTime(outlook.nextRunAt),
    'last-message': last?.message ?? hindranceOf(deployed, state, outlook),
    'last-original-error-message': last?.outcome === 'failed' ? last.message : null,
    'last-outcome': last?.outcome ?? null,
    'last-report': last,
    'last-rescan': state.lastRescan,
    comment: state.comment,
    thread: outlook.thread,
    progress: progress(state),
    queues: pipe === null ? { source: null, dependencies: null } : queues(pipe, snapshot),
    'supported-operations': supportedOperations(pipe),
    retries: pendingCount(component.id, snapshot),
    'dead-letters': deadLetters(pipe, snapshot),
    counters: outlook.counters,
  }
  const config = pumpConfig(pipe)
  return `{"_id":${JSON.stringify(component.id)},"config":${JSON.stringify(config)},"runtime":${JSON.stringify(runtime)}}`
}

const isRunning = ({ running, rescanning }: PumpState): boolean => running !== null || rescanning !== null

/** Entities read so far, by the run and by the rescan beside it. */
function progress({ running, rescanning }: PumpState): Record<string, number> | null {
  if (running === null && rescanning === null) return null
  return {
    ...(running === null ? {} : { processed: running.read }),
    ...(rescanning === null ? {} : { 'processed-by-rescan': rescanning.read }),
  }
}

/** Why the pump does not run by itself, or at all. */
function hindranceOf({ pipe, problems }: DeployedPipe, state: PumpState, { hindrance }: Outlook): string | null {
  if (pipe === null) {
    const { message } = problems.find(({ level }) => level === 'error') ?? { message: 'It has errors.' }
    return `does not run: its configuration has errors. ${message}`
  }
  if (!runsByPump(pipe)) return null
  if (pipe.pump.mode === 'off') return "does not run: its mode is 'off'"
  if (state.isDisabled) return `does not run by itself: it is disabled${state.comment ? ` (${state.comment})` : ''}`
  return hindrance === null ? null : `does not run by itself: ${hindrance}`
}

/** Why the pipe may differ from what it would make now; empty: it is in sync. */
function reasons(pipe: Pipe | null, snapshot: Snapshot): readonly object[] {
  if (pipe === null) return []
  return outOfSync(pipe, snapshot).map(({ code, dataset, message, at, isHealing }) => ({
    reason: code,
    dataset,
    message,
    since: isoTime(at),
    'is-healing': isHealing,
  }))
}

/** The dataset of what was given up, and how much is in it; null: there is none. */
function deadLetters(pipe: Pipe | null, snapshot: Snapshot): Record<string, unknown> | null {
  const dataset = pipe?.errors.deadLetters?.dataset
  if (dataset === undefined) return null
  const view = snapshot.dataset(dataset)
  return { dataset, ...(view === undefined ? {} : counts(view)) }
}

/** A full run under way or interrupted: how far it came, as of what is saved. Until it is complete `last-seen` stays. */
function fullRun(pipe: Pipe | null, snapshot: Snapshot): Record<string, unknown> | null {
  if (pipe === null || !runsByPump(pipe)) return null
  const found = interruptedRun(pipe.id, snapshot) ?? interruptedBeside(pipe.id, snapshot)
  return found === undefined ? null : { processed: found.read, 'last-seen': found.reached }
}

function pumpConfig(pipe: Pipe | null): Record<string, unknown> {
  if (pipe === null) return {}
  const { mode, intervalMs, cron, rescanRunCount, rescanCron, partialRescan, runAtStartup } = pipe.pump
  return {
    mode: isReceiver(pipe) || isPublisher(pipe) ? 'manual' : mode,
    ...(cron === null ? { schedule_interval: intervalMs / 1000 } : { cron_expression: cron.text }),
    run_at_startup: runAtStartup,
    run_at_startup_if_not_populated: pipe.pump.runAtStartupIfNotPopulated,
    ...(rescanRunCount === null ? {} : { rescan_run_count: rescanRunCount }),
    ...(rescanCron === null ? {} : { rescan_cron_expression: rescanCron.text }),
    ...(partialRescan === null
      ? {}
      : { partial_rescan_run_count: partialRescan.runCount, partial_rescan_delta: partialRescan.delta }),
  }
}

interface Queues {
  readonly source: number | null
  readonly dependencies: Readonly<Record<string, number>> | null
}

/** Changes that the pump has not taken in yet, as far as it can be known: null for sources outside the hub. */
function queues(pipe: Pipe, snapshot: Snapshot): Queues {
  // Who publishes, or receives, takes nothing in by itself: whoever waits for empty queues would wait for ever.
  if (!runsByPump(pipe)) return { source: null, dependencies: null }
  const { inputs } = pipe.source
  const dependencies = dependencyQueues(pipe, snapshot)
  if (inputs.length === 0) return { source: null, dependencies }
  const read = readUpTo(pipe.id, inputs, snapshot)
  let pending = 0
  for (const input of inputs) {
    const end = snapshot.dataset(input)?.counts().end ?? 0
    pending += Math.max(0, end - 1 - (read(input) ?? -1))
  }
  return { source: pending, dependencies }
}

/** All changes that it has not taken in, as far as it can be known. */
export function waitingChanges(pipe: Pipe, snapshot: Snapshot): number {
  const { source, dependencies } = queues(pipe, snapshot)
  return [source, ...Object.values(dependencies ?? {})].reduce<number>((sum, count) => sum + (count ?? 0), 0)
}

/** By dataset; null where nothing is tracked. Before its first run a pipe has nothing to follow back. */
function dependencyQueues({ id, tracking }: Pipe, snapshot: Snapshot): Record<string, number> | null {
  if (tracking === null) return null
  const waiting = (dataset: string) => {
    const at = trackedTo(id, dataset, snapshot)
    return at === undefined ? 0 : Math.max(0, (snapshot.dataset(dataset)?.counts().end ?? 0) - 1 - at)
  }
  return Object.fromEntries(tracking.datasets.map((dataset) => [dataset, waiting(dataset)]))
}

export function systemDocument(system: DeployedComponent): string {
  const { component, effective, problems } = system
  const isValid = !problems.some(({ level }) => level === 'error')
  const runtime = {
    state: isValid ? 'Deployed' : 'Failed',
    'is-valid-config': isValid,
    'config-errors': configErrors(problems),
    origin: originOf(effective),
  }
  return `{"_id":${JSON.stringify(component.id)},"config":${configText(system)},"runtime":${JSON.stringify(runtime)}}`
}

/** What may be done while the circuit breaker has tripped: nothing else. */
const DECISIONS = ['commit-circuit-breaker', 'rollback-circuit-breaker']

export function datasetDocument(view: DatasetView, { isOrphaned }: { readonly isOrphaned: boolean }): string {
  const { document } = view
  const runtime = {
    populated: document.populated,
    orphaned: isOrphaned,
    ...counts(view),
    generation: document.generation,
    'max-updated': view.counts().end === 0 ? null : view.counts().end - 1,
    completeness: document.completeness,
    'upstream-completeness': document.upstream,
    'restore-uuid': document.restore?.uuid ?? null,
    'restore-offset': document.restore?.offset ?? null,
    kind: document.kind === 'replicated' ? 'REPLICATED' : 'NORMAL',
    durable: document.durable,
    'circuit-breaker-tripped': document.isTripped,
    'supported-operations': document.isTripped ? DECISIONS : ['repost'],
    ...(document.isTripped ? { 'count-uncommitted': view.withUncommitted().counts().end - view.counts().end } : {}),
    origin: document.id.startsWith('system:') ? 'system' : 'user',
  }
  return JSON.stringify({ _id: document.id, config: { _id: document.id, type: 'dataset' }, runtime })
}

function counts(view: DatasetView): Record<string, number> {
  const { existing, deleted, versions } = view.counts()
  return {
    'count-index-exists': existing,
    'count-index-deleted': deleted,
    'count-log-exists': versions,
  }
}

const configErrors = (problems: readonly Problem[]): readonly object[] =>
  problems.map(({ level, message, pointer, hint }) => ({
    elements: elementsOf(pointer),
    level,
    msg: hint === undefined ? message : `${message} ${hint}`,
  }))

const isoTime = (milliseconds: number | null): string | null =>
  milliseconds === null ? null : new Date(milliseconds).toISOString()
