/** One tenant of a running hub: its log, its graph, its configuration, its pumps. */

import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { elementTexts } from '../config/elements.ts'
import type { ConfigurationInput } from '../config/files.ts'
import type { Problem } from '../config/problems.ts'
import type { Graph, GraphAnswer, GraphStatus } from '../graph/contract.ts'
import { openGraph } from '../graph/graph.ts'
import type { Feed, IndexDocument, Snapshot } from '../log/contract.ts'
import { openFeed } from '../log/feed.ts'
import { startWriter, type WriterThread } from '../log/journal.ts'
import { type LogReader, openLog } from '../log/reader.ts'
import { dictOf } from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import { createNaming, type Naming } from '../model/iri.ts'
import { writeJson } from '../model/json.ts'
import { DatasetWriter, IndexCompiler } from '../pipes/dataset-writer.ts'
import { fullRunForgotten, sourceOffset, voidFullRun } from '../pipes/full-run.ts'
import type { Logger } from '../pipes/logger.ts'
import { isReceiver, type Pipe, runsByPump } from '../pipes/pipe.ts'
import type { RunReport } from '../pipes/run-report.ts'
import { forgetState, type StateChanges, statePrefix } from '../pipes/state.ts'
import type { BackupEntry, BackupSubject, Backups } from './backups/backups.ts'
import { settleRestore } from './backups/restore.ts'
import type { Caller } from './channel.ts'
import type * as hub from './contract.ts'
import { withSnapshot } from './datasets.ts'
import { type DeployedPipe, type Deployment, deploy } from './deployment.ts'
import { datasetDocument, pipeDocument, pumpDocument, systemDocument } from './documents.ts'
import { recordTenant } from './erasure.ts'
import { HubError } from './errors.ts'
import { Housekeeping, type HousekeepingPorts } from './housekeeping.ts'
import { DoorIndexes, type IndexUse, indexDocument, pipesUsing } from './indexes.ts'
import { levelsOf } from './levels.ts'
import { CONFIG, ENV } from './log-knowledge.ts'
import { projectionOf } from './projection.ts'
import { assertPublishes, publicationOf } from './publication.ts'
import type { PumpMethods } from './pump-protocol.ts'
import { type InputState, type PumpState, Scheduler } from './scheduler.ts'

export interface TenantOptions {
  readonly name: string
  readonly base: string
  /** Folder of the tenant's data. */
  readonly folder: string
  readonly pump: Caller<PumpMethods>
  readonly logger: Logger
  /** Quads at most in the graph. */
  readonly graphBudget: number
  /** Without the graph: for commands that only run pipes. */
  readonly withGraph: boolean
  readonly backups: Backups
  /** The hub cannot go on. */
  readonly onFatal: (error: Error) => void
}

/** What is kept in the log's meta table about a tenant. */
const FOLDER = 'config-folder'
/** When the daily compaction was last. */
const COMPACTED_AT = 'compacted-at'
/** Pipes that were deleted and are not cleaned up yet. */
const DELETED = 'deleted-pipes'
const DOOR_INDEXES = 'door-indexes'
const pumpMeta = (pipe: string): string => `pump:${pipe}`

export class HubTenant implements hub.Tenant {
  readonly name: string
  readonly base: string
  readonly #options: TenantOptions
  readonly #writer: WriterThread
  readonly #feed: Feed
  readonly #log: LogReader
  readonly #graph: Graph | null
  readonly #scheduler: Scheduler
  readonly #housekeeping: Housekeeping
  readonly #indexes = new IndexCompiler()
  #deployment: Deployment
  #naming: Naming
  #env = '{}'
  #doorIndexes = new DoorIndexes()

  private constructor(options: TenantOptions, writer: WriterThread, log: LogReader, graph: Graph | null) {
    this.name = options.name
    this.base = options.base
    this.#options = options
    this.#writer = writer
    this.#feed = openFeed(writer.feed)
    this.#log = log
    this.#graph = graph
    this.#deployment = deploy([], '{}', null)
    this.#naming = createNaming({ base: options.base })
    this.#housekeeping = new Housekeeping(this.#housekeepingPorts())
    this.#scheduler = new Scheduler({
      now: Date.now,
      run: (pipe, rescan) => this.#run(pipe, rescan),
      stop: (pipe) => options.pump.call('stop', { tenant: this.name, pipe }),
      inputs: () => this.#inputs(),
      grown: (seen, timeoutMs) => this.#feed.changed(seen, timeoutMs),
      grownTo: () => this.#feed.commits(),
      save: (pipe, state) => this.#savePump(pipe, state),
      ended: (pipe, report) => this.#ended(pipe, report),
    })
  }

  /** A run, and what belongs to it: the compaction of its dataset. */
  async #run(id: string, rescan: boolean): Promise<RunReport> {
    const report = await this.#options.pump.call('run', { tenant: this.name, pipe: id, rescan })
    const pipe = this.deployed(id)?.pipe
    if (report.outcome !== 'completed' || !pipe) return report
    return { ...report, compacted: await this.#housekeeping.afterRun(pipe) }
  }

  #housekeepingPorts(): HousekeepingPorts {
    const { pump, logger } = this.#options
    const tenant = this.name
    return {
      now: Date.now,
      pipes: () => [...this.#deployment.pipes.values()].flatMap(({ pipe }) => pipe ?? []),
      compact: (pipe, occasion) => pump.call('compact', { tenant, pipe, occasion, projected: this.#projected() }),
      withRemnants: () =>
        withSnapshot(this, (snapshot) =>
          snapshot.datasets().flatMap(({ id, erased }) => {
            return erased > 0 && (snapshot.dataset(id)?.remnants().length ?? 0) > 0 ? [id] : []
          }),
        ),
      settle: (dataset) => pump.call('settle', { tenant, dataset, projected: this.#projected() }),
      lastDaily: () => withSnapshot(this, (snapshot) => Number(snapshot.meta(COMPACTED_AT) ?? Number.NaN)) || null,
      saveDaily: async (at) => void (await this.#writer.journal.commit({ meta: [[COMPACTED_AT, String(at)]] })),
      logger,
    }
  }

  /** How far the graph is with what it holds; what it is about to take in counts as not begun. */
  #projected(): Record<string, number> {
    const status = this.#graph?.status()
    if (status === undefined) return {}
    const { datasets } = projectionOf(this.#deployment, this.base, this.#options.graphBudget)
    const held = datasets.filter(({ id }) => !status.leftOut.includes(id))
    return Object.fromEntries(held.map(({ id }) => [id, status.offsets[id] ?? -1]))
  }

  static async open(options: TenantOptions): Promise<HubTenant> {
    const path = join(options.folder, 'log')
    settleRestore(options.folder)
    mkdirSync(path, { recursive: true })
    const writer = await startWriter(path, { onDeath: options.onFatal })
    const log = openLog(path)
    const graph = options.withGraph
      ? openGraph({
          path,
          feed: writer.feed,
          onLost: (reason) =>
            options.logger.warn(`The graph of tenant '${options.name}' was lost and is rebuilt.`, { reason }),
        })
      : null
    const tenant = new HubTenant(options, writer, log, graph)
    const journal = writer.connect()
    await options.pump.call('open', { tenant: options.name, base: options.base, path, journal }, [journal])
    await tenant.#restore()
    return tenant
  }

  /** Pumps run by themselves from now on. */
  startPumps(): void {
    this.#scheduler.start()
    this.#housekeeping.start()
    for (const { pipe } of this.#deployment.pipes.values()) {
      if (pipe?.pump.runAtStartup && runsByPump(pipe)) this.#scheduler.wake(pipe.id)
    }
  }

  async close(): Promise<void> {
    this.#housekeeping.close()
    await this.#scheduler.close()
    await this.#options.pump.call('close', { tenant: this.name })
    await this.#graph?.close()
    await this.#log.close()
    await this.#writer.close()
  }

  naming(): Naming {
    return this.#naming
  }

  // Configuration

  configText(): string {
    return `[${this.#deployment.components.map(({ text }) => text).join(',')}]`
  }

  problems(): readonly Problem[] {
    return this.#deployment.problems
  }

  async replaceConfig(
    input: ConfigurationInput,
    force: boolean,
    folder: string | null = null,
  ): Promise<readonly Problem[]> {
    const next = deploy(input, this.#env, folder)
    if (!force && next.problems.some(({ level }) => level === 'error')) {
      throw new HubError('config-rejected', 'The configuration has errors; nothing was changed.', {
        problems: next.problems,
      })
    }
    const gone = [...this.#deployment.pipes.keys()].filter((id) => !next.pipes.has(id))
    await this.#writer.journal.commit({
      meta: [
        [DELETED, JSON.stringify(gone)],
        [CONFIG, `[${next.components.map((component) => component.text).join(',')}]`],
        [FOLDER, folder],
      ],
      durable: true,
    })
    await this.#deploy(next)
    await this.#cleanUp(gone)
    return next.problems
  }

  env(): string {
    return this.#env
  }

  async replaceEnv(text: string): Promise<void> {
    const next = deploy(this.configText(), text, this.#deployment.folder)
    await this.#writer.journal.commit({ meta: [[ENV, text]], durable: true })
    this.#env = text
    await this.#deploy(next)
  }

  async #restore(): Promise<void> {
    const { config, env, folder, deleted, doorIndexes } = withSnapshot(this, (snapshot) => ({
      config: snapshot.meta(CONFIG),
      env: snapshot.meta(ENV),
      folder: snapshot.meta(FOLDER),
      deleted: snapshot.meta(DELETED),
      doorIndexes: snapshot.meta(DOOR_INDEXES),
    }))
    this.#doorIndexes = DoorIndexes.of(doorIndexes)
    if (env !== undefined) this.#env = env
    const all = config === undefined ? [] : elementTexts(config)
    await this.#deploy(deploy(all, this.#env, folder ?? null))
    await this.#cleanUp(deleted === undefined ? [] : (JSON.parse(deleted) as string[]))
  }

  async #deploy(next: Deployment): Promise<void> {
    const { journal } = this.#writer
    for (const { pipe } of next.pipes.values()) {
      if (pipe?.sink.kind !== 'dataset') continue
      const { populated } = await journal.assertDataset(pipe.sink.dataset, { durable: pipe.isDurable })
      if (!populated && isPopulatedAtLoad(pipe)) await journal.commit({ populated: [[pipe.sink.dataset, true]] })
    }
    await this.#options.pump.call('deploy', {
      tenant: this.name,
      components: next.components.map(({ text }) => text),
      env: this.#env,
      folder: next.folder,
    })
    this.#deployment = next
    this.#naming = createNaming({ base: this.base, namespaces: next.node.prefixes })
    this.#graph?.configure(projectionOf(next, this.base, this.#options.graphBudget))
    const runnable = new Map([...next.pipes].flatMap(([id, { pipe }]) => (pipe === null ? [] : [[id, pipe] as const])))
    const saved = withSnapshot(
      this,
      (snapshot) => new Map([...runnable.keys()].map((id) => [id, snapshot.meta(pumpMeta(id))])),
    )
    this.#scheduler.setPipes(next.isScheduled, runnable, (id) => {
      const text = saved.get(id)
      return text === undefined ? undefined : (JSON.parse(text) as Partial<PumpState>)
    })
  }

  /**
   * A pipe that went away takes along all that is its own (hub.md §3.5), unless the node says otherwise; its dataset stays.
   * The list of those that went stands beside the configuration until this is done, so that a restart goes on with it.
   */
  async #cleanUp(gone: readonly string[]): Promise<void> {
    for (const id of gone) {
      await this.#scheduler.stop(id)
      if (this.#deployment.node.cleansUp && !this.#deployment.pipes.has(id)) await this.#forgetPipe(id)
    }
    if (gone.length > 0) await this.#writer.journal.commit({ meta: [[DELETED, null]] })
  }

  async #forgetPipe(id: string): Promise<void> {
    const { journal } = this.#writer
    await journal.commit({ offsets: [[sourceOffset(id), null]], meta: [[pumpMeta(id), null]] })
    await this.#forget((present, commit) => forgetState(statePrefix(id), present, commit))
    await journal.forgetRuns(id)
    const internal = withSnapshot(this, (snapshot) => snapshot.datasets().filter((one) => isInternalOf(id, one.id)))
    for (const dataset of internal) await journal.deleteDataset(dataset.id)
  }

  /** What a deleted pipe kept, or what it saw in full runs. */
  async #forget(forget: (present: () => Snapshot, commit: (state: StateChanges) => Promise<unknown>) => Promise<void>) {
    const snapshot = this.snapshot()
    const present = () => {
      snapshot.renew()
      return snapshot
    }
    try {
      await forget(present, (state) => this.#writer.journal.commit({ state }))
    } finally {
      snapshot.close()
    }
  }

  metadata(): string {
    const { component, effective } = this.#deployment.metadata
    return `{"_id":"node","config":{"original":${component.text},"effective":${writeJson(effective, { transit: false })}}}`
  }

  // Pipes and pumps

  pipeIds(): readonly string[] {
    return [...this.#deployment.pipes.keys()]
  }

  deployed(id: string): DeployedPipe | undefined {
    return this.#deployment.pipes.get(id)
  }

  pipe(id: string): string | undefined {
    const deployed = this.deployed(id)
    return deployed && withSnapshot(this, (snapshot) => pipeDocument(deployed, this.#scheduler.state(id), snapshot))
  }

  pipeConfigText(id: string): string | undefined {
    return this.deployed(id)?.component.text
  }

  pump(id: string): string | undefined {
    const deployed = this.deployed(id)
    return (
      deployed &&
      withSnapshot(this, (snapshot) =>
        pumpDocument(deployed, this.#scheduler.state(id), this.#scheduler.nextRunAt(id), snapshot),
      )
    )
  }

  async operate(id: string, operation: string, fields: Readonly<Record<string, string>>): Promise<void> {
    const deployed = this.#known(id)
    switch (operation) {
      case 'start':
      case 'start-rescan':
        // The answer comes when the pump runs, not when it is done (rest-api.md §4.2).
        this.#scheduler.run(this.#runnable(deployed).id, { rescan: operation === 'start-rescan' }).catch(() => {})
        return
      case 'stop':
        return this.#scheduler.stop(id)
      case 'enable':
        return this.#scheduler.setDisabled(id, false, null)
      case 'disable':
        return this.#scheduler.setDisabled(id, true, fields.comment ?? null)
      case 'update-last-seen':
        return this.#setOffset(this.#runnable(deployed), fields['last-seen'])
      default:
        throw new HubError(
          'unsupported-operation',
          `The pump of pipe '${id}' doesn't support the operation '${operation}'.`,
        )
    }
  }

  async #setOffset(pipe: Pipe, offset: string | undefined): Promise<void> {
    if (offset === undefined) {
      throw new HubError('bad-request', "The operation 'update-last-seen' needs the field 'last-seen'.", {
        hint: 'An empty last-seen resets the pipe.',
      })
    }
    if (!runsByPump(pipe)) {
      const what = `Pump '${pipe.id}' doesn't support the operation 'update-last-seen'`
      throw new HubError('unsupported-operation', `${what}: it reads nothing by itself.`)
    }
    if (this.#scheduler.state(pipe.id).running !== null) {
      throw new HubError(
        'already-running',
        `The pump of pipe '${pipe.id}' is running; stop it before its offset is set.`,
      )
    }
    // A full run that was interrupted is given up with the offset it began at.
    await this.#forget((present, commit) => voidFullRun(pipe.id, present, commit))
    await this.#writer.journal.commit({
      offsets: [[sourceOffset(pipe.id), offset === '' ? null : offset]],
      state: fullRunForgotten(pipe.id),
    })
    this.#scheduler.forget(pipe.id)
  }

  /** Runs a pipe now and waits for it. */
  async runNow(id: string): Promise<RunReport> {
    await this.#scheduler.ended(id)
    return this.#scheduler.run(id)
  }

  /** Pipes in an order in which each stands after those that write what it reads; those of one level need not wait for one another. */
  levels(): readonly (readonly Pipe[])[] {
    return levelsOf([...this.#deployment.pipes.values()].flatMap(({ pipe }) => (pipe === null ? [] : [pipe])))
  }

  async *pipeEntities(id: string, query: hub.PipeQuery, signal: AbortSignal): AsyncGenerator<readonly string[]> {
    this.#runnablePipe(id)
    yield* this.#options.pump.stream('read', { tenant: this.name, pipe: id, query }, signal)
  }

  async receive(id: string, body: Uint8Array, push: hub.PushParameters): Promise<hub.ReceiveAnswer> {
    const pipe = this.#runnablePipe(id)
    if (!isReceiver(pipe))
      throw new HubError(
        'not-a-receiver',
        `Pipe '${id}' does not receive entities; its source is '${pipe.source.type}'.`,
      )
    if (this.#scheduler.state(id).isDisabled) {
      throw new HubError('pipe-unavailable', `Pipe '${id}' is disabled.`, { hint: 'Enable its pump and send again.' })
    }
    const answer = await this.#options.pump.call(
      'receive',
      { tenant: this.name, pipe: id, body, push },
      transferable(body),
    )
    this.#housekeeping.written(pipe)
    return answer
  }

  async publish(
    id: string,
    form: 'entities' | 'csv',
    query: hub.PublishQuery,
    signal: AbortSignal,
  ): Promise<hub.Publication> {
    const pipe = this.#runnablePipe(id)
    assertPublishes(pipe, form)
    if (this.#scheduler.state(id).isDisabled) {
      throw new HubError('pipe-unavailable', `Pipe '${id}' is disabled.`, { hint: 'Enable its pump and ask again.' })
    }
    const { since, limit, bound } = query
    const argument = { tenant: this.name, pipe: id, form, since, limit, bound: writeJson(bound) }
    return publicationOf(this, pipe, form, this.#options.pump.stream('publish', argument, signal))
  }

  // Systems

  systemIds(): readonly string[] {
    return [...this.#deployment.systems.keys()]
  }

  system(id: string): string | undefined {
    const system = this.#deployment.systems.get(id)
    return system && systemDocument(system)
  }

  // Datasets

  snapshot(): Snapshot {
    return this.#log.snapshot()
  }

  dataset(id: string): string | undefined {
    return withSnapshot(this, (snapshot) => {
      const view = snapshot.dataset(id)
      return view && datasetDocument(view, { isOrphaned: this.#isOrphaned(id) })
    })
  }

  /** How much there is in the log. */
  size(): { readonly datasets: number; readonly versions: number } {
    return withSnapshot(this, (snapshot) => {
      const all = snapshot.datasets()
      const versions = all.reduce((sum, { id }) => sum + (snapshot.dataset(id)?.counts().versions ?? 0), 0)
      return { datasets: all.length, versions }
    })
  }

  /** No pipe writes it, not even one with errors: most likely its pipe was deleted (hub.md §3.5). */
  #isOrphaned(dataset: string): boolean {
    return !dataset.startsWith('system:') && !this.#deployment.written.has(dataset)
  }

  liveEntities(dataset: string): number | null {
    return withSnapshot(this, (snapshot) => snapshot.dataset(dataset)?.counts().existing ?? null)
  }

  async deleteDataset(id: string): Promise<boolean> {
    const isThere = await this.#writer.journal.deleteDataset(id)
    if (this.#doorIndexes.delete(id)) await this.#saveDoorIndexes()
    return isThere
  }

  indexes(dataset: string): string | undefined {
    return withSnapshot(this, (snapshot) => {
      const view = snapshot.dataset(dataset)
      const { indexes } = view?.document ?? { indexes: [] }
      return view && JSON.stringify(indexes.map((index) => indexDocument(view, index, this.#useOf(dataset, index))))
    })
  }

  async deleteIndex(dataset: string, number: number): Promise<void> {
    const document = withSnapshot(this, (snapshot) => snapshot.dataset(dataset)?.document)
    if (document === undefined) throw new HubError('unknown-dataset', `There is no dataset '${dataset}'.`)
    const index = document.indexes.find((one) => one.number === number)
    if (index === undefined) throw new HubError('unknown-index', `Dataset '${dataset}' has no index ${number}.`)
    const { pipes } = this.#useOf(dataset, index)
    if (pipes.length > 0) {
      throw new HubError(
        'index-in-use',
        `The index ${number} of dataset '${dataset}' is used by ${pipes.join(', ')}.`,
        {
          details: { dataset, index: number, pipes },
          hint: 'Change or remove these pipes first: the index is orphaned then.',
        },
      )
    }
    await this.#writer.journal.deleteIndex(dataset, number)
    if (this.#doorIndexes.delete(dataset, index.expression)) await this.#saveDoorIndexes()
  }

  #useOf(dataset: string, { expression }: IndexDocument): IndexUse {
    return {
      pipes: pipesUsing(this.#deployment, dataset, expression),
      isOfDoor: this.#doorIndexes.has(dataset, expression),
    }
  }

  #saveDoorIndexes(): Promise<unknown> {
    return this.#writer.journal.commit({ meta: [[DOOR_INDEXES, this.#doorIndexes.text()]] })
  }

  /** Erases an entity with all its versions, here and in the graph. Gives how many versions there were. */
  async eraseEntity(dataset: string, id: string): Promise<number> {
    const erased = await this.#options.pump.call('erase', {
      tenant: this.name,
      dataset,
      id,
      projected: this.#projected(),
    })
    await this.#scheduler.forgetMentions(id)
    return erased
  }

  /** What is done now and then, done now: see housekeeping.ts. */
  tidy(): Promise<void> {
    return this.#housekeeping.look()
  }

  /** Records that another tenant was deleted with all it had. */
  recordErased(tenant: string, had: { readonly datasets: number; readonly versions: number }): Promise<void> {
    return recordTenant({ journal: this.#writer.journal, log: this.#log, now: Date.now, uuid: randomUUID }, tenant, had)
  }

  async decideBreaker(dataset: string, decision: 'commit' | 'rollback'): Promise<void> {
    const staging = withSnapshot(this, (snapshot) => {
      const view = snapshot.dataset(dataset)
      if (view === undefined) throw new HubError('unknown-dataset', `There is no dataset '${dataset}'.`)
      return view.staging()
    })
    if (staging === undefined || staging.state === 'open') {
      throw new HubError('breaker-not-tripped', `The circuit breaker of dataset '${dataset}' has not tripped.`, {
        hint: 'There is nothing to commit or to roll back.',
      })
    }
    if (decision === 'commit') await this.#options.pump.call('expose', { tenant: this.name, dataset })
    else await this.#writer.journal.discardStaged(dataset)
    const { logger } = this.#options
    logger.info(
      `What the circuit breaker of dataset '${dataset}' held back was ${decision === 'commit' ? 'committed' : 'rolled back'}.`,
      {
        tenant: this.name,
        dataset,
        pipe: staging.pipe,
        event: `circuit-breaker-${decision}`,
      },
    )
    if (this.#deployment.pipes.has(staging.pipe)) this.#scheduler.forget(staging.pipe)
  }

  async repost(dataset: string, ids: readonly string[]): Promise<readonly hub.Reposted[]> {
    const reposted = await this.#options.pump.call('repost', { tenant: this.name, dataset, ids })
    this.#options.logger.info(`${reposted.length} entities of dataset '${dataset}' were reposted.`, {
      tenant: this.name,
      dataset,
      event: 'entities-reposted',
    })
    return reposted
  }

  append(dataset: string, body: Uint8Array, force: boolean): Promise<number> {
    return this.#options.pump.call('append', { tenant: this.name, dataset, body, force }, transferable(body))
  }

  /** Writes entities to a dataset past any pipe, change-tracked and on disk when it resolves; gives how many changed. */
  async write(dataset: string, entities: readonly Entity[]): Promise<number> {
    const document = await this.#writer.journal.assertDataset(dataset)
    let current = document
    const writer = new DatasetWriter(
      this.#writer.journal,
      this.#indexes,
      dataset,
      () => current,
      () => {
        current = withSnapshot(this, (snapshot) => snapshot.dataset(dataset)?.document) ?? document
      },
    )
    return (await writer.write(entities, { durable: true })).changes
  }

  globalDatasets(): readonly string[] {
    return [...this.#deployment.pipes.values()].flatMap(({ pipe }) =>
      pipe?.isGlobal && pipe.sink.kind === 'dataset' ? [pipe.sink.dataset] : [],
    )
  }

  ends(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#inputs()].map(([id, { end }]) => [id, end]))
  }

  async shape(dataset: string): Promise<hub.DatasetShape | undefined> {
    return (await this.#options.pump.call('shape', { tenant: this.name, dataset })) ?? undefined
  }

  /** Makes sure that entities can be looked up by a property; gives the index's expression. */
  async propertyIndex(dataset: string, property: string): Promise<string> {
    const expression = await this.#options.pump.call('propertyIndex', { tenant: this.name, dataset, property })
    if (this.#doorIndexes.add(dataset, expression)) await this.#saveDoorIndexes()
    return expression
  }

  /** From now on it is noted who loses a key of the index, for those who read subsets from it. */
  async feedIndex(dataset: string, { expression, fingerprint }: IndexDocument): Promise<void> {
    await this.#writer.journal.assertIndex(dataset, expression, fingerprint, { feeds: true })
  }

  // Graph

  sparql(request: hub.SparqlRequest): Promise<GraphAnswer> {
    return this.#openGraph().query({ ...request, maxRows: MAX_ROWS })
  }

  graphStatus(): GraphStatus {
    return this.#openGraph().status()
  }

  graphCaughtUp(timeoutMs: number): Promise<boolean> {
    return this.#openGraph().caughtUp(timeoutMs)
  }

  // Backups

  backups(): readonly string[] {
    return this.#options.backups.list(this.name).map(backupDocument)
  }

  backup(id: string): string | undefined {
    const found = this.#options.backups.list(this.name).find((one) => one.id === id)
    return found && backupDocument(found)
  }

  startBackup(isFull: boolean): string {
    return backupDocument(this.#options.backups.begin(this.backupSubject(), isFull))
  }

  backupHealth(): 'healthy' | 'unhealthy' | 'unknown' {
    return this.#options.backups.health(this.name)
  }

  backupSubject(): BackupSubject {
    return {
      name: this.name,
      log: join(this.#options.folder, 'log'),
      note: async ({ id, ...entry }) => {
        await this.write(BACKUP_DATASET, [dictOf({ _id: id, ...entry }) as Entity])
      },
    }
  }

  health(): { readonly ready: boolean; readonly reasons: readonly string[] } {
    const reasons: string[] = []
    const state = this.#graph?.status().state
    if (state !== undefined && state !== 'ready') reasons.push(`The graph of tenant '${this.name}' is ${state}.`)
    return { ready: reasons.length === 0, reasons }
  }

  progress(pipe: string, read: number): void {
    this.#scheduler.progress(pipe, read)
    const written = this.deployed(pipe)?.pipe
    if (written) this.#housekeeping.written(written)
  }

  pumpState(pipe: string): PumpState {
    return this.#scheduler.state(pipe)
  }

  #openGraph(): Graph {
    if (this.#graph === null) throw new HubError('no-graph', 'This hub runs without a graph.')
    return this.#graph
  }

  #inputs(): ReadonlyMap<string, InputState> {
    return withSnapshot(this, (snapshot) => {
      const inputs = new Map<string, InputState>()
      for (const { id, populated, isTripped } of snapshot.datasets()) {
        inputs.set(id, { end: snapshot.dataset(id)?.counts().end ?? 0, populated, isTripped })
      }
      return inputs
    })
  }

  #known(id: string): DeployedPipe {
    const deployed = this.deployed(id)
    if (deployed === undefined) throw new HubError('unknown-pipe', `There is no pipe '${id}'.`)
    return deployed
  }

  #runnable({ component, pipe }: DeployedPipe): Pipe {
    if (pipe !== null) return pipe
    throw new HubError('invalid-pipe', `Pipe '${component.id}' has errors in its configuration and cannot run.`)
  }

  #runnablePipe(id: string): Pipe {
    return this.#runnable(this.#known(id))
  }

  async #savePump(
    pipe: string,
    { isDisabled, comment, lastStartedAt, lastEndedAt, last, runs }: PumpState,
  ): Promise<void> {
    const kept = JSON.stringify({ isDisabled, comment, lastStartedAt, lastEndedAt, last, runs })
    await this.#writer.journal.commit({ meta: [[pumpMeta(pipe), kept]] })
  }

  #ended(pipe: string, report: RunReport): void {
    const { logger } = this.#options
    const details = { tenant: this.name, pipe, ...report }
    if (report.outcome === 'failed') logger.error(`Pipe '${pipe}' failed: ${report.message}`, details)
    else if (report.outcome === 'waiting') logger.debug(`Pipe '${pipe}' ${report.message}.`, details)
    else if (report.changes > 0) logger.info(`Pipe '${pipe}' wrote ${report.changes} changes.`, details)
  }
}

/** Where the backups of a tenant are noted (hub.md §2.10). */
const BACKUP_DATASET = 'system:backup'

const backupDocument = ({ id, ...entry }: BackupEntry): string => JSON.stringify({ _id: id, ...entry })

/** Rows of a SPARQL answer at most; above it the answer says it was cut. */
const MAX_ROWS = 100_000

/** `system:<kind>:<pipe>` (hub.md §2.10). */
const isInternalOf = (pipe: string, dataset: string): boolean =>
  /^system:[^:]+:/.exec(dataset)?.[0].length === dataset.length - pipe.length && dataset.endsWith(`:${pipe}`)

const isPopulatedAtLoad = (pipe: Pipe): boolean =>
  pipe.sink.kind === 'dataset' &&
  (pipe.sink.populatedWhen === 'onload' ||
    (isReceiver(pipe) && pipe.source.config.auto_populate_dataset !== false && pipe.sink.populatedWhen !== 'never'))

const transferable = (body: Uint8Array): ArrayBuffer[] =>
  body.byteOffset === 0 && body.byteLength === body.buffer.byteLength && body.buffer instanceof ArrayBuffer
    ? [body.buffer]
    : []
