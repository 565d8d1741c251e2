/** What one run writes into the execution log of its pipe: that it began, what went wrong, how it ended (hub.md §9). */

import type { Snapshot } from '../../log/contract.ts'
import { dictOf } from '../../model/dict.ts'
import type { Entity } from '../../model/entity.ts'
import { float, type Value } from '../../model/value.ts'
import { blamedEntity } from '../blame.ts'
import type { Pipe } from '../pipe.ts'
import type { RunReport, Tally } from '../run-report.ts'
import { nextRunAt } from '../schedule.ts'
import {
  type EventType,
  errorProperties,
  eventOf,
  executionDataset,
  nested,
  timeText,
  type User,
  userOf,
} from './event.ts'
import { ttlDeletes, ttlDeletesChanged } from './ttl-deletes.ts'
import { type LogPorts, writeEvents } from './writer.ts'

export interface RunLogPorts extends LogPorts {
  readonly now: () => number
}

/** Who asked for the run, and the version of the hub. */
export interface Asked {
  readonly user?: User
  readonly version?: string
}

/** What there is to say when a run is over. */
export interface RunEnd {
  readonly report: RunReport
  readonly tally: Tally
  /** It failed with. */
  readonly error: Error | null
  /** Why the run did not go on after it; null: because of it. */
  readonly whyStopped: string | null
  readonly hasPending: boolean
}

export class RunLog {
  readonly #pipe: Pipe
  readonly #ports: RunLogPorts
  readonly #startedAt: number
  readonly #user: User | null
  readonly #version: string | null
  #syncType: RunReport['syncType'] = 'full'
  readonly #buffered: Entity[] = []
  /** Place of the entry that says that the run began; null: nothing happened yet that is worth one. */
  #begun: Promise<number> | null = null
  #last: Promise<unknown> = Promise.resolve()

  constructor(pipe: Pipe, ports: RunLogPorts, startedAt: number, { user, version }: Asked = {}) {
    this.#pipe = pipe
    this.#ports = ports
    this.#startedAt = startedAt
    this.#user = user ?? null
    this.#version = version ?? null
  }

  /** It is known how the run goes about reading. */
  planned(syncType: RunReport['syncType']): void {
    this.#syncType = syncType
    if (this.#pipe.errors.log.noopRuns) this.happened()
  }

  /** From now on the run is worth an entry, whatever comes of it. Nobody waits for that one. */
  happened(): void {
    this.#begun ??= this.#append([this.#beginning()])
  }

  /** Something went wrong that the log is to tell, with the next {@link flush}. */
  add(type: EventType, properties: Readonly<Record<string, Value>>, about: string): void {
    this.happened()
    const event_time = timeText(this.#ports.now())
    this.#buffered.push(eventOf(this.#pipe.id, type, { event_time, ...properties }, about))
  }

  /** What was counted so far may be what makes the run worth an entry. */
  look({ changes, read }: Tally): void {
    if (changes > 0 || (read > 0 && !this.#pipe.errors.log.changesOnly)) this.happened()
  }

  /** Resolves when the log tells all that was to be told. */
  async flush(): Promise<void> {
    if (this.#buffered.length > 0) await this.#append(this.#buffered.splice(0))
    else await this.#last
  }

  /** The run is over; gives whether the log tells of it. */
  async end(end: RunEnd, snapshot: Snapshot): Promise<boolean> {
    const { outcome } = end.report
    if (outcome === 'waiting') return false
    this.look(end.tally)
    if (outcome !== 'completed' || this.#isOverdue(snapshot)) this.happened()
    if (this.#begun === null) return false
    await this.flush()
    const ttl = this.#present((present) => ttlDeletes(this.#pipe.id, present))
    await this.#append([this.#ending(end, await this.#begun, ttl)])
    if (ttl > 0) {
      const state = this.#present((present) => ttlDeletesChanged(this.#pipe.id, present, -ttl))
      await this.#ports.journal.commit({ state })
    }
    return true
  }

  #present<T>(ask: (snapshot: Snapshot) => T): T {
    const snapshot = this.#ports.log.snapshot()
    try {
      return ask(snapshot)
    } finally {
      snapshot.close()
    }
  }

  /** One after the other, whoever waits. */
  #append(events: readonly Entity[]): Promise<number> {
    const appended = this.#last.then(() => writeEvents(this.#ports, this.#pipe.id, events))
    this.#last = appended
    // Whoever flushes hears of it.
    appended.catch(() => {})
    return appended
  }

  #isOverdue(snapshot: Snapshot): boolean {
    const { granularitySeconds } = this.#pipe.errors.log
    if (granularitySeconds === null) return false
    const last = snapshot.dataset(executionDataset(this.#pipe.id))?.latest('pump-completed')
    return last === undefined || this.#ports.now() * 1000 - last.ts >= granularitySeconds * 1_000_000
  }

  #beginning(): Entity {
    return eventOf(this.#pipe.id, 'pump-started', {
      start_time: timeText(this.#startedAt),
      sync_type: this.#syncType,
      pump_definition: this.#pipe.errors.definition,
      metrics: dictOf({}),
      ...this.#by(),
    })
  }

  #ending({ report, tally, error, whyStopped, hasPending }: RunEnd, begunAt: number, ttl: number): Entity {
    const endedAt = this.#ports.now()
    const isCompleted = report.outcome === 'completed'
    return eventOf(this.#pipe.id, isCompleted ? 'pump-completed' : 'pump-failed', {
      start_time: timeText(this.#startedAt),
      end_time: timeText(endedAt),
      total_time: float((endedAt - this.#startedAt) / 1000),
      next_interval: this.#nextInterval(endedAt),
      sync_type: this.#syncType,
      pump_definition: this.#pipe.errors.definition,
      pump_started_location: begunAt,
      retry_entities_exist: hasPending,
      entities_succeeded: tally.succeeded,
      entities_failed: tally.failed,
      metrics: metricsOf(report, tally, ttl),
      ...this.#by(),
      ...(isCompleted
        ? {}
        : { interrupted: report.outcome === 'interrupted', ...this.#failure(report, error, whyStopped) }),
    })
  }

  #failure({ outcome }: RunReport, error: Error | null, whyStopped: string | null): Readonly<Record<string, Value>> {
    const reason = outcome === 'interrupted' ? 'The run was stopped.' : (whyStopped ?? error?.message ?? null)
    const exception = error === null ? undefined : blamedEntity(error)
    return {
      reason_why_stopped: reason,
      ...(error === null ? {} : errorProperties(error)),
      ...(exception === undefined ? {} : { exception_entity: exception }),
      node_build_info: dictOf({ version: this.#version, release: this.#version }),
    }
  }

  /** Seconds until the pump is due again by its schedule; null: it does not run by itself. */
  #nextInterval(now: number): Value {
    const happened = { lastStartedAt: this.#startedAt, rescannedAt: this.#startedAt, scheduledAt: null }
    const due = nextRunAt(this.#pipe.pump, happened, now)
    return due === null ? null : float((due - now) / 1000)
  }

  #by(): Readonly<Record<string, Value>> {
    return this.#user === null ? {} : { user: userOf(this.#user) }
  }
}

/** hub.md §9.8. */
function metricsOf({ changes, hops, traces }: RunReport, tally: Tally, ttl: number): Value {
  return nested({
    'entities.changes_last_run': changes,
    'entities.entities_last_run': tally.read,
    'entities.read_errors_last_run': tally.readErrors,
    'entities.write_errors_last_run': tally.writeErrors,
    'entities.ttl_deletes_entities_last_run': ttl,
    'entities.source_time': float(tally.sourceSeconds),
    'entities.transform_time': float(tally.transformSeconds),
    'entities.sink_time': float(tally.sinkSeconds),
    'hops.max-cardinality': hops.maxCardinality,
    'hops.max-cardinality-last-run': hops.maxCardinality,
    'hops.total-rows-last-run': hops.totalRows,
    ...Object.fromEntries(Object.entries(traces).map(([trace, rows]) => [`hops.${trace}`, rows] as const)),
    'memory.batch-max-mem-size': tally.batchBytes,
    'memory.total-peak': tally.peakBytes,
  })
}
