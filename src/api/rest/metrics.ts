/** What a Prometheus server reads: pipes, pumps, graph and requests (names of hub.md §25.4). */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { Type } from 'typebox'
import type { Node, Tenant, ThreadStatus } from '../../hub/contract.ts'
import { countGuard } from '../limits/figures.ts'
import type { Guard } from '../limits/guard.ts'
import { type Route, route } from '../route.ts'

export interface Metrics {
  readonly route: Route
  /** Counts a request; `url` is the route's pattern, never an address with ids in it. */
  measure(method: string, url: string, status: number, seconds: number): void
}

/** Pipes read between which other work gets its turn. */
const SLICE = 50

export function createMetrics(node: Node, guard: Guard): Metrics {
  const register = new Registry()
  collectDefaultMetrics({ register })
  const requests = new Histogram({
    name: 'samtale_http_request_seconds',
    help: 'Time of requests by route.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.02, 0.05, 0.2, 1, 5, 30],
    registers: [register],
  })
  const lags = new Histogram({
    name: 'samtale_flow_lag_seconds',
    help: 'From a change where the hub first stores it to its effect at the end of a chain of pipes.',
    labelNames: ['tenant', 'dataset', 'pipe'],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600],
    registers: [register],
  })
  const gauges = createGauges(register)
  countGuard(register, guard)
  return {
    measure: (method, url, status, seconds) => requests.labels(method, url, String(status)).observe(seconds),
    route: route({
      method: 'GET',
      path: '/api/metrics',
      tag: 'Node',
      action: 'administer',
      resource: 'node',
      isNodeOnly: true,
      summary: 'Figures for Prometheus.',
      answers: { 200: { description: 'Metrics as text.', schema: Type.String(), type: 'text/plain' } },
      handle: async () => {
        gauges.reset()
        gauges.readThreads(node.threads())
        for (const tenant of node.tenants()) {
          await gauges.read(tenant)
          for (const { end, seconds } of tenant.takeLags()) {
            lags.labels({ tenant: tenant.name, dataset: '', pipe: '', [end.kind]: end.id }).observe(seconds)
          }
        }
        return { contentType: register.contentType, body: await register.metrics() }
      },
    }),
  }
}

const STATES = ['healthy', 'unhealthy', 'unknown'] as const

function createGauges(register: Registry) {
  const all: (Gauge | Counter)[] = []
  const gauge = (name: string, help: string, labelNames: string[] = ['tenant', 'pipe']): Gauge => {
    const made = new Gauge({ name, help, labelNames, registers: [register] })
    all.push(made)
    return made
  }
  const LABELS = ['tenant', 'pipe']
  /** With when it began to count, as OpenMetrics has it. */
  const counter = (name: string, help: string) => {
    const total = new Counter({ name: `${name}_total`, help, labelNames: LABELS, registers: [register] })
    all.push(total)
    const created = gauge(`${name}_created`, `When ${name}_total began to count, seconds since 1970.`)
    return (labels: Record<string, string>, value: number, since: number) => {
      total.inc(labels, value)
      created.set(labels, since)
    }
  }
  const health = gauge('sesam_health', 'Whether all is well.', ['tenant', 'sesam_health'])
  const backup = gauge('sesam_backup_health', 'Whether backups are made as they should be.', [
    'tenant',
    'sesam_backup_health',
  ])
  const enabled = gauge('sesam_pipe_enabled', 'Whether the pump of the pipe is enabled.')
  const config = gauge('sesam_pipe_config', 'Whether the configuration of the pipe is valid.', [
    'tenant',
    'pipe',
    'config_group',
    'leaf',
  ])
  const queue = gauge('sesam_pipe_queue_source', 'Entities the pump has not read yet.')
  const outOfSync = gauge(
    'samtale_pipe_out_of_sync',
    'Reasons why what the pipe made may be other than what it would make now.',
  )
  const untracked = gauge(
    'sesam_pipe_queue_tracking',
    'Changes of what the pipe hops to that are not followed back yet.',
  )
  const tracked = {
    changes: gauge('samtale_pump_tracking_changes', 'Last run: changes of what it hops to that were followed back.'),
    rows: gauge('samtale_pump_tracking_rows', 'Last run: rows of indexes that were read for that.'),
    found: gauge('samtale_pump_tracking_found', 'Last run: source entities that may depend on them.'),
    again: gauge('samtale_pump_tracking_again', 'Last run: source entities that ran again because of them.'),
  }
  const exists = gauge('sesam_pipe_sink_dataset_count_index_exists', 'Live entities in the sink dataset.')
  const deleted = gauge('sesam_pipe_sink_dataset_count_index_deleted', 'Deleted entities in the sink dataset.')
  const logged = gauge('sesam_pipe_sink_dataset_count_log_exists', 'Versions in the sink dataset.')
  const tripped = gauge('sesam_pipe_circuit_breaker_tripped', 'The circuit breaker of the sink: 1 tripped, 0 not.')
  const totalTime = gauge('sesam_pump_total_time', 'Seconds of the last run, 0 if there was none.')
  const successful = gauge('sesam_pump_successful', 'Last run: 1 good, -1 bad, 0 none.')
  const scheduled = gauge('sesam_pump_scheduled_time', 'When the pump runs next, seconds since 1970.')
  const completedAt = gauge('sesam_pump_last_completed_time', 'When a run was completed last, seconds since 1970.')
  const retryable = gauge('sesam_pump_entities_retryable', 'Entities that wait to be retried.')
  const deadExist = gauge('sesam_pipe_dead_letter_dataset_count_index_exists', 'Live dead letters.')
  const deadDeleted = gauge('sesam_pipe_dead_letter_dataset_count_index_deleted', 'Deleted dead letters.')
  const deadLogged = gauge('sesam_pipe_dead_letter_dataset_count_log_exists', 'Versions of dead letters.')
  const counters = {
    started: counter('sesam_pump_started', 'Runs that did something.'),
    completed: counter('sesam_pump_completed', 'Runs that did something and were completed.'),
    failed: counter('sesam_pump_failed', 'Runs that failed.'),
    interrupted: counter('sesam_pump_interrupted', 'Runs that were stopped.'),
    changes: counter('sesam_pump_entities_changes', 'Changes that runs made.'),
    seen: counter('sesam_pump_entities_seen', 'Entities that runs read.'),
    compacted: counter('sesam_pump_entities_compacted', 'Versions that compaction took away after runs.'),
    deletionTracked: counter(
      'sesam_pump_entities_deletion_tracked',
      'Entities deleted because a full run did not bring them.',
    ),
  } as const
  const scraped = gauge('sesam_pump_scrape_time', 'When this was read, seconds since 1970.')
  const quads = gauge('samtale_graph_quads', 'Statements in the graph.', ['tenant'])
  const budget = gauge('samtale_graph_budget', 'Statements the graph may hold.', ['tenant'])
  const threadBusy = gauge('samtale_pump_thread_busy', 'Share of its time that a pump thread was busy of late.', [
    'thread',
  ])
  const threadRuns = gauge('samtale_pump_thread_runs', 'Runs under way on a pump thread.', ['thread'])
  const threadRestarts = gauge('samtale_pump_thread_restarts', 'Times that a pump thread was lost and replaced.', [
    'thread',
  ])
  const waiting = gauge(
    'samtale_pipe_waiting_seconds',
    'For how long the oldest change has waited that the pump has not taken in; 0 when none does.',
  )
  const lag = gauge('samtale_graph_lag', 'Entities that are not in the graph yet.', ['tenant'])

  const readPipe = (tenant: string, { pipe, pump, isLeaf }: PipeFigures): void => {
    const labels = { tenant, pipe: pipe._id }
    const { runtime } = pump
    enabled.set(labels, runtime['is-disabled'] ? 0 : 1)
    config.set({ ...labels, config_group: 'default', leaf: isLeaf ? '1' : '0' }, runtime['is-valid-config'] ? 1 : 0)
    setIf(queue, labels, runtime.queues?.source)
    outOfSync.set(labels, runtime['out-of-sync']?.length ?? 0)
    const waiting = runtime.queues?.dependencies
    if (waiting != null)
      untracked.set(
        labels,
        Object.values(waiting).reduce((sum, one) => sum + one, 0),
      )
    for (const [name, set] of Object.entries(tracked)) setIf(set, labels, runtime['last-report']?.tracking?.[name])
    tripped.set(labels, pipe.runtime['circuit-breaker-tripped'] === true ? 1 : 0)
    setIf(exists, labels, pipe.storage?.['count-index-exists'])
    setIf(deleted, labels, pipe.storage?.['count-index-deleted'])
    setIf(logged, labels, pipe.storage?.['count-log-exists'])
    setIf(deadExist, labels, runtime['dead-letters']?.['count-index-exists'])
    setIf(deadDeleted, labels, runtime['dead-letters']?.['count-index-deleted'])
    setIf(deadLogged, labels, runtime['dead-letters']?.['count-log-exists'])
    // Not for pumps that do not run by themselves (hub.md §25.4).
    if (runtime['is-disabled'] || pump.config?.mode === 'manual' || pump.config?.mode === 'off') return
    const last = runtime['last-report']
    totalTime.set(labels, last?.seconds ?? 0)
    successful.set(labels, last?.outcome === 'completed' ? 1 : last?.outcome === 'failed' ? -1 : 0)
    scraped.set(labels, Date.now() / 1000)
    setIf(retryable, labels, runtime.retries)
    const { counters: counted } = runtime
    if (counted !== undefined) {
      for (const [name, set] of Object.entries(counters)) set(labels, counted[name] ?? 0, counted.created ?? 0)
      setIf(completedAt, labels, counted.lastCompleted)
    }
    if (typeof runtime['next-run'] === 'string') scheduled.set(labels, Date.parse(runtime['next-run']) / 1000)
  }

  return {
    reset: () => {
      for (const each of all) each.reset()
    },
    readThreads(threads: readonly ThreadStatus[]): void {
      for (const { number, busy, runs, restarts } of threads) {
        const labels = { thread: String(number) }
        threadBusy.set(labels, busy)
        threadRuns.set(labels, runs.length)
        threadRestarts.set(labels, restarts)
      }
    },
    async read(tenant: Tenant): Promise<void> {
      const { ready } = tenant.health()
      for (const state of STATES) {
        health.set({ tenant: tenant.name, sesam_health: state }, state === (ready ? 'healthy' : 'unhealthy') ? 1 : 0)
        backup.set({ tenant: tenant.name, sesam_backup_health: state }, state === tenant.backupHealth() ? 1 : 0)
      }
      const status = graphStatusOf(tenant)
      if (status !== null) {
        quads.set({ tenant: tenant.name }, status.quads)
        budget.set({ tenant: tenant.name }, status.budget)
        lag.set({ tenant: tenant.name }, status.lag)
      }
      for (const figures of await pipesOf(tenant)) readPipe(tenant.name, figures)
      const { pipes } = JSON.parse(tenant.flow()) as {
        pipes: { id: string; queue: unknown; waiting_seconds: number | null }[]
      }
      for (const { id, queue, waiting_seconds } of pipes) {
        if (queue !== null) waiting.set({ tenant: tenant.name, pipe: id }, waiting_seconds ?? 0)
      }
    },
  }
}

/** Null for a hub that runs without a graph. */
function graphStatusOf(tenant: Tenant): ReturnType<Tenant['graphStatus']> | null {
  try {
    return tenant.graphStatus()
  } catch (error) {
    if ((error as { code?: unknown }).code === 'no-graph') return null
    throw error
  }
}

interface PipeFigures {
  readonly pipe: PipeDocument
  readonly pump: PumpDocument
  /** No other pipe reads what it writes. */
  readonly isLeaf: boolean
}

interface PipeDocument {
  readonly _id: string
  readonly config: { readonly effective?: { readonly sink?: { readonly dataset?: string } } }
  readonly runtime: { readonly dependencies?: readonly string[]; readonly 'circuit-breaker-tripped'?: boolean }
  readonly storage?: Readonly<Record<string, number>>
}

/** Parts of rest-api.md §2.2, none of which a pump must have. */
interface PumpDocument {
  readonly config?: { readonly mode?: string }
  readonly runtime: {
    readonly 'is-disabled'?: boolean
    readonly 'is-valid-config'?: boolean
    readonly 'next-run'?: string | null
    readonly 'out-of-sync'?: readonly unknown[]
    readonly 'last-report'?: {
      readonly outcome: string
      readonly seconds: number
      readonly tracking?: Readonly<Record<string, number>>
    } | null
    readonly queues?: {
      readonly source?: number | null
      readonly dependencies?: Readonly<Record<string, number>> | null
    }
    readonly retries?: number
    readonly 'dead-letters'?: Readonly<Record<string, number>> | null
    /** By the names of {@link createGauges}. */
    readonly counters?: Readonly<Record<string, number>>
  }
}

async function pipesOf(tenant: Tenant): Promise<PipeFigures[]> {
  const documents: { pipe: PipeDocument; pump: PumpDocument }[] = []
  for (const [place, id] of tenant.pipeIds().entries()) {
    if (place % SLICE === SLICE - 1) await new Promise((resolve) => setImmediate(resolve))
    const [pipe, pump] = [tenant.pipe(id), tenant.pump(id)]
    if (pipe !== undefined && pump !== undefined) documents.push({ pipe: JSON.parse(pipe), pump: JSON.parse(pump) })
  }
  const read = new Set(documents.flatMap(({ pipe }) => pipe.runtime.dependencies ?? []))
  return documents.map((document) => {
    const dataset = document.pipe.config.effective?.sink?.dataset
    return { ...document, isLeaf: dataset === undefined || !read.has(dataset) }
  })
}

function setIf(gauge: Gauge, labels: Record<string, string>, value: number | null | undefined): void {
  if (typeof value === 'number') gauge.set(labels, value)
}
