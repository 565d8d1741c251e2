/** The metrics of pipes and their pumps: names of hub.md §25.4, and the hub's own beside them. */

import type { DatasetFigures, PipeFigures, PumpFigures } from '../../hub/contract.ts'
import type { Family } from './exposition.ts'

interface Gauge extends Family {
  readonly type: 'gauge'
  read(pipe: PipeFigures): number | null | undefined
}

interface PumpGauge extends Family {
  readonly type: 'gauge'
  read(pump: PumpFigures, now: number): number | null | undefined
}

interface PumpCounter extends Family {
  readonly type: 'counter'
  read(pump: PumpFigures): number
}

const gauge = (name: string, help: string, read: Gauge['read']): Gauge => ({ name, type: 'gauge', help, read })

/** Of one of the datasets of a pipe. */
function counts(name: string, what: string, of: (pipe: PipeFigures) => DatasetFigures | null): readonly Gauge[] {
  return [
    gauge(`${name}_count_index_exists`, `Live entities ${what}.`, (pipe) => of(pipe)?.exists),
    gauge(`${name}_count_index_deleted`, `Deleted entities ${what}.`, (pipe) => of(pipe)?.deleted),
    gauge(`${name}_count_log_exists`, `Versions ${what} that are no deletions.`, (pipe) => of(pipe)?.logExists),
    gauge(`${name}_count_log_deleted`, `Versions ${what} that are deletions.`, (pipe) => of(pipe)?.logDeleted),
  ]
}

/** Written apart, for its labels say more. */
export const PIPE_CONFIG: Family = {
  name: 'sesam_pipe_config',
  type: 'gauge',
  help: 'Whether the configuration of the pipe is valid; leaf: no other pipe reads what it writes.',
}

export const PIPE_GAUGES: readonly Gauge[] = [
  gauge('sesam_pipe_enabled', 'Whether the pump of the pipe is enabled.', ({ isEnabled }) => (isEnabled ? 1 : 0)),
  gauge('sesam_pipe_usage', 'Bytes of the dataset that the pipe writes, of long ones estimated.', ({ bytes }) => bytes),
  gauge('sesam_pipe_queue_source', 'Changes that the pump has not read yet.', ({ sourceQueue }) => sourceQueue),
  gauge(
    'sesam_pipe_queue_tracking',
    'Changes of what the pipe hops to that are not followed back yet.',
    ({ trackingQueue }) => trackingQueue,
  ),
  gauge('sesam_pipe_queue_replicas', 'Changes that replicas have not got yet; 0, since a hub has none.', () => 0),
  ...counts('sesam_pipe_sink_dataset', 'in the dataset that the pipe writes', ({ sink }) => sink),
  ...counts('sesam_pipe_dead_letter_dataset', 'among the dead letters of the pipe', ({ deadLetters }) => deadLetters),
  gauge(
    'sesam_pipe_circuit_breaker_tripped',
    'The circuit breaker of the dataset: 1 tripped, 0 not.',
    ({ isTripped }) => (isTripped ? 1 : 0),
  ),
  gauge(
    'samtale_pipe_out_of_sync',
    'Reasons why what the pipe made may be other than what it would make now.',
    ({ outOfSync }) => outOfSync,
  ),
  gauge(
    'samtale_pipe_waiting_seconds',
    'For how long the oldest change has waited that the pump has not taken in; 0 when none does.',
    ({ waitingSeconds }) => waitingSeconds,
  ),
]

const pump = (name: string, help: string, read: PumpGauge['read']): PumpGauge => ({ name, type: 'gauge', help, read })

const seconds = (milliseconds: number | null): number | null => (milliseconds === null ? null : milliseconds / 1000)

const OUTCOMES: Readonly<Record<string, number>> = { completed: 1, failed: -1 }

export const PUMP_GAUGES: readonly PumpGauge[] = [
  pump(
    'sesam_pump_total_time',
    'Seconds of the last run, 0 if there was none.',
    ({ state }) => state.last?.seconds ?? 0,
  ),
  pump(
    'sesam_pump_successful',
    'Last run: 1 good, -1 bad, 0 none.',
    ({ state }) => OUTCOMES[state.last?.outcome ?? ''] ?? 0,
  ),
  pump('sesam_pump_entities_retryable', 'Entities that wait to be retried.', ({ retryable }) => retryable),
  pump('sesam_pump_scrape_time', 'When this was read, seconds since 1970.', (_, now) => now / 1000),
  pump(
    'sesam_pump_last_completed_time',
    'When a run was completed last, seconds since 1970; 0: none was, since the hub started.',
    ({ counters }) => counters.lastCompleted,
  ),
  pump('sesam_pump_scheduled_time', 'When the pump runs next by its schedule, seconds since 1970.', ({ nextRunAt }) =>
    seconds(nextRunAt),
  ),
  pump(
    'sesam_pump_previous_scheduled_time',
    'When the pump ran last because it was due, seconds since 1970; 0: it did not yet.',
    ({ state }) => seconds(state.lastDueAt ?? state.lastStartedAt) ?? 0,
  ),
  pump(
    'samtale_pump_tracking_changes',
    'Last run: changes of what it hops to that were followed back.',
    ({ state }) => state.last?.tracking?.changes,
  ),
  pump(
    'samtale_pump_tracking_rows',
    'Last run: rows of indexes that were read for that.',
    ({ state }) => state.last?.tracking?.rows,
  ),
  pump(
    'samtale_pump_tracking_found',
    'Last run: source entities that may depend on them.',
    ({ state }) => state.last?.tracking?.found,
  ),
  pump(
    'samtale_pump_tracking_again',
    'Last run: source entities that ran again because of them.',
    ({ state }) => state.last?.tracking?.again,
  ),
]

const counter = (name: string, help: string, read: PumpCounter['read']): PumpCounter => ({
  name,
  type: 'counter',
  help,
  read,
})

export const PUMP_COUNTERS: readonly PumpCounter[] = [
  counter('sesam_pump_started', 'Runs that did something.', ({ counters }) => counters.started),
  counter('sesam_pump_completed', 'Runs that did something and were completed.', ({ counters }) => counters.completed),
  counter(
    'sesam_pump_failed',
    'Runs that failed; those that were stopped are none of them.',
    ({ counters }) => counters.failed,
  ),
  counter('sesam_pump_interrupted', 'Runs that were stopped.', ({ counters }) => counters.interrupted),
  counter('sesam_pump_entities_changes', 'Changes that runs made.', ({ counters }) => counters.changes),
  counter('sesam_pump_entities_seen', 'Entities that runs read.', ({ counters }) => counters.seen),
  counter(
    'sesam_pump_entities_compacted',
    'Versions that compaction took away after runs.',
    ({ counters }) => counters.compacted,
  ),
  counter(
    'sesam_pump_entities_deletion_tracked',
    'Entities deleted because a full run did not bring them.',
    ({ counters }) => counters.deletionTracked,
  ),
]
