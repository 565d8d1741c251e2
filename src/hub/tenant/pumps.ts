/** The pipes of a tenant and their pumps: when they run, what is asked of them, what became of it. */

import { defaultNotificationSettings } from '../../config/notifications.ts'
import { writeJson } from '../../model/json.ts'
import { IndexCompiler } from '../../pipes/dataset-writer.ts'
import type { User } from '../../pipes/execution/event.ts'
import { RunLog } from '../../pipes/execution/run-log.ts'
import { holdsBack, releasedNow } from '../../pipes/holding-back.ts'
import { isReceiver, type Pipe, takesLong } from '../../pipes/pipe.ts'
import { publishes } from '../../pipes/publish.ts'
import { owesReprocessing } from '../../pipes/reprocessing/reprocess.ts'
import { newTally, type RunReport, reportOf } from '../../pipes/run-report.ts'
import { type RunOrder, signalsOf } from '../../pipes/schedule.ts'
import type * as hub from '../contract.ts'
import { datasetEntities, withSnapshot } from '../datasets.ts'
import { deploy, deployUnchecked } from '../deployment.ts'
import { type Outlook, pipeDocument, pumpDocument, waitingChanges } from '../documents.ts'
import { HubError } from '../errors.ts'
import { Figures } from '../figures/figures.ts'
import { LogSamples } from '../figures/samples.ts'
import { type FlowMap, flowOf } from '../flow/flow.ts'
import { LagMeter } from '../flow/lag.ts'
import { networkOf } from '../flow/network.ts'
import { Housekeeping, type HousekeepingPorts } from '../housekeeping.ts'
import { tellRun } from '../logs/run-line.ts'
import { NOTIFICATIONS } from '../notifications/notification.ts'
import { assertSince } from '../offsets.ts'
import { assertPublishes, feedOf, publicationOf } from '../publication.ts'
import { PumpsCounters } from '../pump-counters.ts'
import { type PumpState, stateOf, stateText } from '../pump-state.ts'
import { Scheduler } from '../scheduler.ts'
import { type TenantCore, transferable } from './core.ts'
import type { TenantEvents } from './events.ts'
import { PumpOperations } from './operations.ts'
import type { TenantPermissions } from './permissions.ts'
import type { TenantSchema } from './schema.ts'
import { TenantSignalling } from './signalling.ts'

/** When the daily compaction was last, in the log's meta table. */
const COMPACTED_AT = 'compacted-at'
/** Where the state of a pump is kept. */
export const pumpMeta = (pipe: string): string => `pump:${pipe}`

/** Of a publisher that gives a dataset as it is, so many entities are counted, and not more often. */
const COUNTED_ASIDE = 1_000
const COUNT_AGAIN_MS = 60_000

/** The pool tells of these instead of a report. */
const UNREPORTED: ReadonlySet<string> = new Set(['run-lost', 'run-paused', 'run-interrupted', 'pipe-forbidden'])
/** Of them those that the execution log tells of. */
const LOGGED: ReadonlySet<string> = new Set(['run-lost', 'pipe-forbidden'])

interface Begun {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly inputEnds: Readonly<Record<string, number>>
}

export class TenantPumps {
  readonly scheduler: Scheduler
  readonly housekeeping: Housekeeping
  readonly signalling: TenantSignalling
  readonly #core: TenantCore
  readonly #permissions: TenantPermissions
  readonly #indexes = new IndexCompiler()
  readonly #operations: PumpOperations
  readonly #counters = new PumpsCounters()
  /** By publisher, milliseconds since 1970. */
  readonly #countedAside = new Map<string, number>()
  #hearRun: (pipe: string, report: RunReport) => void = () => {}
  /** How long changes take to the end of each chain of pipes. */
  readonly lags = new LagMeter()
  /** How all of them stand, for monitors. */
  readonly figures: Figures
  #network = networkOf(deploy([], '{}', null))
  #read: ReadonlySet<string> = new Set()

  constructor(core: TenantCore, events: TenantEvents, schema: TenantSchema, permissions: TenantPermissions) {
    this.#core = core
    this.#permissions = permissions
    this.housekeeping = new Housekeeping(this.#housekeepingPorts())
    this.scheduler = new Scheduler({
      now: Date.now,
      run: (pipe, order) => this.#run(pipe, order),
      stop: (pipe) => core.options.pool.stop({ tenant: core.options.name, pipe }),
      inputs: () => core.inputs(),
      released: (pipe) => (holdsBack(pipe) ? withSnapshot(core, (snapshot) => releasedNow(pipe, snapshot)) : undefined),
      grown: (seen, timeoutMs) => core.feed.changed(seen, timeoutMs),
      grownTo: () => core.feed.commits(),
      save: (states) => this.#save(states),
      ended: (pipe, report, user) => this.#ended(pipe, report, user),
    })
    this.#operations = new PumpOperations(core, this.scheduler, events, schema)
    this.signalling = new TenantSignalling(core, this.scheduler)
    this.figures = new Figures({
      pipes: () => core.deployment.pipes,
      isRead: (dataset) => this.#read.has(dataset),
      snapshot: () => core.snapshot(),
      feed: core.feed,
      state: (id) => this.scheduler.state(id),
      counters: (id) => this.#counters.of(id),
      nextRunAt: (id) => this.scheduler.nextRunAt(id),
      waitingSince: (pipe, snapshot) => this.lags.waitingSince(pipe, snapshot),
      samples: new LogSamples(() => performance.now()),
      now: Date.now,
    })
  }

  /** `hear` is told of each run that was completed and that no log tells of. */
  hearRuns(hear: (pipe: string, report: RunReport) => void): void {
    this.#hearRun = hear
  }

  /** They run by themselves from now on. */
  start(): void {
    this.scheduler.start()
    this.housekeeping.start()
  }

  async close(): Promise<void> {
    this.housekeeping.close()
    await this.scheduler.close()
    await this.signalling.close()
  }

  /** The pipes are those of the present deployment from now on; those that changed run as they are now. */
  async deployed(changed: readonly string[]): Promise<void> {
    const core = this.#core
    if (changed.length > 0) this.#network = networkOf(core.deployment)
    this.#read = new Set(core.pipes().flatMap(({ source, reads }) => [...source.inputs, ...reads]))
    const runnable = new Map(core.pipes().map((pipe) => [pipe.id, pipe] as const))
    const saved = withSnapshot(core, (snapshot) => new Map(changed.map((id) => [id, snapshot.meta(pumpMeta(id))])))
    await this.scheduler.setPipes(
      (pipe) => core.mayRun(pipe),
      runnable,
      (id) => stateOf(saved.get(id)),
    )
    this.scheduler.restart(changed)
  }

  pipeDocument(id: string, parts: readonly hub.PipePart[]): string | undefined {
    const deployed = this.#core.deployment.pipes.get(id)
    return (
      deployed &&
      withSnapshot(this.#core, (snapshot) =>
        pipeDocument(
          deployed,
          this.scheduler.state(id),
          snapshot,
          parts,
          this.#permissions.principals({ kind: 'pipe', id }),
        ),
      )
    )
  }

  pumpDocument(id: string): string | undefined {
    const deployed = this.#core.deployment.pipes.get(id)
    return (
      deployed &&
      withSnapshot(this.#core, (snapshot) =>
        pumpDocument(deployed, this.scheduler.state(id), this.#outlook(id), snapshot),
      )
    )
  }

  /** What there is to say about the next run. */
  #outlook(id: string): Outlook {
    const pipe = this.#core.deployment.pipes.get(id)?.pipe ?? null
    const { pool, name: tenant } = this.#core.options
    const thread = pool.threadOf({ tenant, pipe: id })
    const hindrance = pipe === null ? null : this.#core.hindrance(pipe)
    return { nextRunAt: this.scheduler.nextRunAt(id), hindrance, thread, counters: this.#counters.of(id) }
  }

  operate(id: string, operation: string, fields: Readonly<Record<string, string>>, user: User | null): Promise<void> {
    return this.#operations.operate(id, operation, fields, user)
  }

  /** While they are held, no user's pump runs by itself. */
  hold(isHeld: boolean): void {
    this.#core.isHeld = isHeld
    this.scheduler.reconsider()
  }

  /** What a pipe has not taken in yet, and whether it is to read again what it has. */
  waiting(pipe: Pipe): number {
    return withSnapshot(
      this.#core,
      (snapshot) => waitingChanges(pipe, snapshot) + (owesReprocessing(pipe, snapshot) ? 1 : 0),
    )
  }

  /** Runs a pipe now and waits for it. */
  async runNow(id: string): Promise<RunReport> {
    await this.scheduler.ended(id)
    return this.scheduler.run(id)
  }

  async *entities(id: string, query: hub.PipeQuery, signal: AbortSignal): AsyncGenerator<readonly string[]> {
    const pipe = this.#core.runnable(id)
    this.#permissions.assertMayRun(pipe)
    assertSince(pipe, query.since)
    const { name, pool } = this.#core.options
    yield* pool.stream('read', { tenant: name, pipe: id, query }, signal)
  }

  preview(query: hub.PreviewQuery, user: hub.User | null): Promise<string> {
    this.#assertMayPreview(query, user)
    const { name, pool } = this.#core.options
    return pool.call('preview', { tenant: name, ...query })
  }

  /** Who tries another configuration sees what it reads: no more than they may read themselves. */
  #assertMayPreview({ pipe: id, config }: hub.PreviewQuery, user: hub.User | null): void {
    const asIs = this.#core.deployment.pipes.get(id)?.pipe
    if (config === null) {
      if (asIs) this.#permissions.assertMayRun(asIs)
      return
    }
    if (user?.principal === undefined) return
    const { pipe, effective } = deployUnchecked(this.#core.deployment, id, config)
    if (pipe !== null) this.#permissions.assertMayRead(user.principal, pipe, effective)
  }

  async receive(id: string, body: Uint8Array, push: hub.PushParameters): Promise<hub.ReceiveAnswer> {
    const pipe = this.#ready(id)
    const { name: tenant, pool } = this.#core.options
    const answer = await pool.receiving({ tenant, pipe: id }, push, () =>
      pool.call('receive', { tenant, pipe: id, body, push }, transferable(body)),
    )
    this.housekeeping.written(pipe)
    return answer
  }

  takesLong(id: string): boolean {
    return takesLong(this.#ready(id))
  }

  /** The pieces are asked for one after the other, as they are stored; when they break off, the error is theirs. */
  async receiveLong(
    id: string,
    pieces: AsyncIterable<Uint8Array>,
    push: hub.PushParameters,
  ): Promise<hub.ReceiveAnswer> {
    const pipe = this.#ready(id)
    const { name: tenant, pool } = this.#core.options
    const answer = await pool.receiving({ tenant, pipe: id }, push, () => this.#receivePieces(id, pieces, push))
    this.housekeeping.written(pipe)
    return answer
  }

  async #receivePieces(
    id: string,
    pieces: AsyncIterable<Uint8Array>,
    push: hub.PushParameters,
  ): Promise<hub.ReceiveAnswer> {
    const { name: tenant, pool } = this.#core.options
    const number = await pool.call('beginReceive', { tenant, pipe: id, push })
    let failure: { readonly error: unknown } | null = null
    try {
      for await (const piece of pieces) {
        await pool.call('addReceived', { tenant, pipe: id, number, piece }, transferable(piece))
      }
    } catch (error) {
      failure = { error }
    }
    // Where it was the receiver that failed, it is the receiver that says why.
    return pool
      .call('endReceive', { tenant, pipe: id, number, isWhole: failure === null })
      .catch((error: { code?: string }) => {
        throw failure !== null && error.code === 'body-broken' ? failure.error : error
      })
  }

  /** A receiver that takes something now. */
  #ready(id: string): Pipe {
    const pipe = this.#core.runnable(id)
    if (!isReceiver(pipe))
      throw new HubError(
        'not-a-receiver',
        `Pipe '${id}' does not receive entities; its source is '${pipe.source.type}'.`,
      )
    if (this.scheduler.state(id).isDisabled) {
      throw new HubError('pipe-unavailable', `Pipe '${id}' is disabled.`, { hint: 'Enable its pump and send again.' })
    }
    this.#permissions.assertMayRun(pipe)
    return pipe
  }

  publishes(id: string, form: hub.PublisherForm): boolean {
    return publishes(this.#core.runnable(id).sink, form)
  }

  assertPublishes(id: string, form: hub.PublisherForm): Pipe {
    const pipe = this.#core.runnable(id)
    assertPublishes(pipe, form)
    if (!this.scheduler.state(id).isDisabled) return pipe
    throw new HubError('pipe-unavailable', `Pipe '${id}' is disabled.`, { hint: 'Enable its pump and ask again.' })
  }

  publish(id: string, form: hub.PublisherForm, query: hub.PublishQuery, signal: AbortSignal): hub.Publication {
    const pipe = this.assertPublishes(id, form)
    this.#permissions.assertMayRun(pipe)
    assertSince(pipe, query.since)
    const { text = 'json' } = query
    return publicationOf(this.#core, pipe, form, text, this.#published(pipe, form, query, signal))
  }

  /** What changes nothing of its dataset is that dataset: no thread has to make anything of it. */
  #published(
    pipe: Pipe,
    form: hub.PublisherForm,
    query: hub.PublishQuery,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    const { since, limit, bound, text = 'json' } = query
    const feed = form === 'entities' ? feedOf(pipe) : null
    if (feed !== null && withSnapshot(this.#core, (snapshot) => snapshot.dataset(feed.dataset) !== undefined)) {
      const range = {
        ...(since === undefined ? {} : { since: Number(since) }),
        ...(limit === undefined ? {} : { limit }),
      }
      this.#countAside(pipe.id, since)
      return datasetEntities(this.#core, feed.dataset, { ...range, ...feed, deleted: true, reverse: false, form: text })
    }
    const { name: tenant, pool } = this.#core.options
    const argument = { tenant, pipe: pipe.id, form, text, since, limit, bound: writeJson(bound), cause: query.cause }
    return pool.stream('publish', argument, signal)
  }

  /** What its entities look like is counted on a thread: of a feed now and then, of the beginning of what is asked for. */
  #countAside(pipe: string, since: string | undefined): void {
    const now = Date.now()
    if (now < (this.#countedAside.get(pipe) ?? 0) + COUNT_AGAIN_MS) return
    this.#countedAside.set(pipe, now)
    const { name: tenant, pool, logger } = this.#core.options
    const what = { form: 'entities', text: 'json', since, limit: COUNTED_ASIDE, bound: '{}', cause: undefined } as const
    const argument = { tenant, pipe, ...what }
    const count = async () => {
      for await (const _ of pool.stream('publish', argument, new AbortController().signal));
    }
    count().catch((error: Error) => logger.debug(`What pipe '${pipe}' publishes was not counted: ${error.message}`))
  }

  progress(id: string, read: number, isRescan: boolean): void {
    this.scheduler.progress(id, read, isRescan)
    const written = this.#core.deployment.pipes.get(id)?.pipe
    if (written) this.housekeeping.written(written)
  }

  /** A run, and what belongs to it: the compaction of its dataset. */
  async #run(id: string, order: RunOrder): Promise<RunReport> {
    const core = this.#core
    const webhook = this.signalling.webhookOf(core.runnable(id))
    const { version } = core.options
    const asked = { ...order, version, ...(webhook === undefined ? {} : { webhook }) }
    const report = await this.#runOnThread(id, asked)
    const pipe = core.deployment.pipes.get(id)?.pipe
    const isCompacted = report.outcome === 'completed' && pipe
    const whole = isCompacted ? { ...report, compacted: await this.housekeeping.afterRun(pipe) } : report
    this.#counters.count(id, whole)
    return whole
  }

  /** A run that ended with its thread cannot report: what is known of it is put together here. */
  async #runOnThread(id: string, order: RunOrder): Promise<RunReport> {
    const { pool, name } = this.#core.options
    const begun = { at: Date.now(), inputEnds: this.#inputEnds(id) }
    try {
      const pipe = this.#core.deployment.pipes.get(id)?.pipe
      if (pipe) this.#permissions.assertMayRun(pipe)
      return await pool.run({ tenant: name, pipe: id, order }, { staysPut: this.#remembers(id) })
    } catch (error) {
      if (!UNREPORTED.has((error as HubError).code)) throw error
      return this.#reportInstead(id, order, begun, error as HubError)
    }
  }

  async #reportInstead(id: string, order: RunOrder, begun: Begun, error: HubError): Promise<RunReport> {
    const { running, rescanning, last } = this.scheduler.state(id)
    const tally = { ...newTally(), read: (order.isBackground ? rescanning : running)?.read ?? 0 }
    const pending = last?.pending ?? 0
    const about = {
      syncType: order.kind === 'rescan' ? ('full' as const) : ('incremental' as const),
      seconds: (Date.now() - begun.at) / 1_000,
      inputEnds: begun.inputEnds,
      pending,
      tally,
      meter: { maxCardinality: 0, total: 0 },
    }
    if (error.code === 'run-interrupted') return reportOf('interrupted', about, null)
    const report = reportOf('failed', about, error)
    const pipe = this.#core.deployment.pipes.get(id)?.pipe
    if (!LOGGED.has(error.code) || !pipe) return report
    const { log, writer, options } = this.#core
    const told = new RunLog(pipe, { journal: writer.journal, log, indexes: this.#indexes, now: Date.now }, begun.at)
    told.planned(about.syncType)
    const end = { report, tally, error, whyStopped: null, hasPending: pending > 0 }
    const snapshot = this.#core.snapshot()
    try {
      return { ...report, isLogged: await told.end(end, snapshot) }
    } catch (cause) {
      options.logger.error(`The execution log of pipe '${id}' could not be written: ${(cause as Error).message}`)
      return report
    } finally {
      snapshot.close()
    }
  }

  /** Its programs make up namespaces, and remember which (dtl.md §9.14). */
  #remembers(id: string): boolean {
    const transforms = this.#core.deployment.pipes.get(id)?.pipe?.transforms ?? []
    return transforms.some(({ analysis }) => analysis.purity.history.some(({ what }) => what === 'ni'))
  }

  /** Next sequence of each dataset that signals the pipe. */
  #inputEnds(id: string): Record<string, number> {
    const pipe = this.#core.deployment.pipes.get(id)?.pipe
    if (!pipe) return {}
    return withSnapshot(this.#core, (snapshot) =>
      Object.fromEntries(signalsOf(pipe).map((input) => [input, snapshot.dataset(input)?.counts().end ?? 0])),
    )
  }

  #housekeepingPorts(): HousekeepingPorts {
    const core = this.#core
    const { name: tenant, pool, logger } = core.options
    return {
      now: Date.now,
      pipes: () => core.pipes(),
      compact: (pipe, occasion) => pool.call('compact', { tenant, pipe, occasion, projected: core.projected() }),
      withRemnants: () =>
        withSnapshot(core, (snapshot) =>
          snapshot.datasets().flatMap(({ id, erased }) => {
            return erased > 0 && (snapshot.dataset(id)?.remnants().length ?? 0) > 0 ? [id] : []
          }),
        ),
      trimmed: () => {
        const { keep_days } = core.deployment.notifications ?? defaultNotificationSettings
        return [{ dataset: NOTIFICATIONS, hours: 24 * keep_days }]
      },
      trim: (dataset, hours) => pool.call('trim', { tenant, dataset, hours, projected: core.projected() }),
      settle: (dataset) => pool.call('settle', { tenant, dataset, projected: core.projected() }),
      lastDaily: () => withSnapshot(core, (snapshot) => Number(snapshot.meta(COMPACTED_AT) ?? Number.NaN)) || null,
      saveDaily: async (at) => void (await core.writer.journal.commit({ meta: [[COMPACTED_AT, String(at)]] })),
      logger,
    }
  }

  async #save(states: ReadonlyMap<string, PumpState>): Promise<void> {
    const meta = [...states].map(([pipe, state]) => [pumpMeta(pipe), stateText(state)] as const)
    await this.#core.writer.journal.commit({ meta })
  }

  #ended(pipe: string, report: RunReport, user: User | null): void {
    const { runLogger, name } = this.#core.options
    tellRun(runLogger, { tenant: name, pipe, report, user })
    if (report.outcome === 'completed' && !report.isLogged) this.#hearRun(pipe, report)
    this.#measureLag(pipe, report)
  }

  #measureLag(id: string, { outcome, changes }: RunReport): void {
    const pipe = this.#core.deployment.pipes.get(id)?.pipe
    if (!pipe || outcome === 'waiting') return
    const { ends, writers } = this.#network
    withSnapshot(this.#core, (snapshot) =>
      this.lags.ended(pipe, Date.now(), changes > 0, snapshot, {
        isEnd: (dataset) => ends.includes(dataset),
        isRunning: (dataset) => {
          const writer = writers.get(dataset)
          return writer !== undefined && this.scheduler.state(writer).running !== null
        },
      }),
    )
  }

  flow(): FlowMap {
    return withSnapshot(this.#core, (snapshot) => flowOf(this.#core.deployment, snapshot, this.lags, Date.now()))
  }
}
