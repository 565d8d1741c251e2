/** One tenant of a running hub, as the doors see it: its log, its graph, its configuration, its pumps. */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ConfigurationInput } from '../config/files.ts'
import type { Problem } from '../config/problems.ts'
import type { Graph, GraphAnswer, GraphStatus } from '../graph/contract.ts'
import { openGraph } from '../graph/graph.ts'
import type { IndexDocument, Snapshot } from '../log/contract.ts'
import { beats } from '../log/feed.ts'
import { startWriter } from '../log/journal.ts'
import { openLog } from '../log/reader.ts'
import { type Dict, dictOf } from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import type { Naming } from '../model/iri.ts'
import type { Value } from '../model/value.ts'
import { isInternal } from '../pipes/origin.ts'
import type { Pipe } from '../pipes/pipe.ts'
import type { RunReport } from '../pipes/run-report.ts'
import type { Guard } from './access/guard.ts'
import type { ComponentName } from './access/permission.ts'
import type { BackupEntry, BackupSubject } from './backups/backups.ts'
import { settleRestore } from './backups/restore.ts'
import type * as hub from './contract.ts'
import { withSnapshot } from './datasets.ts'
import type { DeployedPipe } from './deployment.ts'
import { HubError } from './errors.ts'
import { explainPipe } from './explain.ts'
import type { PipeFigures } from './figures/figures.ts'
import type { Lag } from './flow/lag.ts'
import type { TenantFacts } from './health/assess.ts'
import { levelsOf } from './levels.ts'
import type { PumpState } from './pump-state.ts'
import { runnerPorts } from './runner/ports.ts'
import { PipeRunner } from './runner/runner.ts'
import { TenantComponents } from './tenant/components.ts'
import { TenantConfiguration } from './tenant/configuration.ts'
import { TenantCore, type TenantOptions } from './tenant/core.ts'
import { TenantDatasets } from './tenant/datasets.ts'
import { TenantEvents } from './tenant/events.ts'
import { TenantIndexes } from './tenant/indexes.ts'
import { ShareableLinks } from './tenant/links.ts'
import { TenantModels } from './tenant/models.ts'
import { TenantNotes } from './tenant/notes.ts'
import { type Surroundings, TenantNotifications } from './tenant/notifications.ts'
import { TenantPermissions } from './tenant/permissions.ts'
import { TenantPumps } from './tenant/pumps.ts'
import { TenantResetting } from './tenant/resetting.ts'
import { TenantSchema } from './tenant/schema.ts'
import { TenantSecrets } from './tenant/secrets.ts'
import { TenantSystems } from './tenant/systems.ts'
import type { Subscription } from './webhooks.ts'

export class HubTenant implements hub.Tenant {
  readonly name: string
  readonly base: string
  readonly #core: TenantCore
  readonly #permissions: TenantPermissions
  readonly #events: TenantEvents
  readonly #pumps: TenantPumps
  readonly configuration: TenantConfiguration
  readonly secrets: TenantSecrets
  readonly #datasets: TenantDatasets
  readonly #indexes: TenantIndexes
  readonly #components: TenantComponents
  readonly #resetting: TenantResetting
  readonly #notes: TenantNotes
  readonly #systems: TenantSystems
  readonly runner: PipeRunner
  readonly startedAt = Date.now()
  readonly notifications: TenantNotifications
  readonly #schema: TenantSchema
  readonly #models: TenantModels
  readonly #links: ShareableLinks

  private constructor(core: TenantCore, surroundings: Surroundings) {
    this.name = core.options.name
    this.base = core.options.base
    this.#core = core
    this.#permissions = new TenantPermissions(core)
    this.#events = new TenantEvents(core)
    this.#schema = new TenantSchema(core)
    this.#models = new TenantModels(core, this.#schema)
    this.#pumps = new TenantPumps(core, this.#events, this.#schema, this.#permissions)
    this.secrets = new TenantSecrets(core)
    this.#notes = new TenantNotes(core)
    this.configuration = new TenantConfiguration(core, this.#pumps, this.secrets, this.#notes, this.#permissions)
    this.#datasets = new TenantDatasets(core, this.#pumps.scheduler, this.#events)
    this.#indexes = new TenantIndexes(core)
    this.#components = new TenantComponents(core, this.configuration)
    this.#resetting = new TenantResetting(core, this.#pumps.scheduler, this.#indexes, this.configuration)
    this.#systems = new TenantSystems(core)
    this.runner = new PipeRunner(runnerPorts(core, this.#pumps, this.#resetting))
    this.notifications = new TenantNotifications(core, this.#pumps, surroundings)
    this.#pumps.hearRuns((pipe, report) => this.notifications.ranQuietly(pipe, report))
    this.configuration.hearDeployments(() => this.notifications.changed())
    this.#links = new ShareableLinks({
      snapshot: () => core.snapshot(),
      save: async (name, text) => void (await core.writer.journal.commit({ meta: [[name, text]], durable: true })),
      now: Date.now,
    })
  }

  static async open({ surroundings, ...options }: TenantOptions & { surroundings: Surroundings }): Promise<HubTenant> {
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
    const tenant = new HubTenant(new TenantCore(options, writer, log, graph), surroundings)
    const { name, base, infersTypes, pool } = options
    await pool.open({ tenant: name, base, path, infersTypes, connect: writer.connect })
    tenant.#indexes.restore()
    tenant.#permissions.restore()
    await tenant.configuration.restore()
    await tenant.#events.tellRestored()
    return tenant
  }

  /** Pumps run by themselves from now on. */
  startPumps(): void {
    this.#pumps.start()
    this.notifications.start()
  }

  async close(): Promise<void> {
    const { options, graph, log, writer } = this.#core
    await this.runner.close()
    await this.notifications.close()
    await this.#pumps.close()
    await options.pool.closeTenant(this.name)
    await graph?.close()
    await log.close()
    await writer.close()
  }

  /** Counts starts of the hub by its version: gives how many there were since it became this one. */
  async noteStart(version: string): Promise<number> {
    const stored = withSnapshot(this.#core, (snapshot) => snapshot.meta(STARTS))
    const former = stored === undefined ? null : (JSON.parse(stored) as { version: string; restarts: number })
    const restarts = former?.version === version ? former.restarts + 1 : 0
    await this.#core.writer.journal.commit({ meta: [[STARTS, JSON.stringify({ version, restarts })]] })
    return restarts
  }

  naming(): Naming {
    return this.#core.naming
  }

  // Permissions

  get guard(): Guard {
    return this.#permissions.guard
  }

  permissions(component: ComponentName, isEffective: boolean): string {
    return this.#permissions.text(component, isEffective)
  }

  replacePermissions(component: ComponentName, given: Value): Promise<void> {
    return this.#permissions.replace(component, given)
  }

  // Configuration

  configText(): string {
    return this.configuration.text()
  }

  /** The text without the values of its secrets. */
  mask(text: string): string {
    return this.#core.secrets.mask(text)
  }

  problems(): readonly Problem[] {
    return this.#core.deployment.problems
  }

  replaceConfig(
    input: ConfigurationInput,
    force: boolean,
    folder: string | null = null,
    user: hub.User | null = null,
  ): Promise<readonly Problem[]> {
    return this.configuration.replace(input, force, folder, user)
  }

  env(): string {
    return this.#core.env
  }

  replaceEnv(text: string): Promise<void> {
    return this.configuration.replaceEnv(text)
  }

  metadata(): string {
    return this.configuration.metadata()
  }

  componentText(id: string): string | undefined {
    return this.#components.text(id)
  }

  putComponents(array: string, force: boolean, user: hub.User | null = null): Promise<readonly Problem[]> {
    return this.#components.put(array, force, user)
  }

  removeComponent(id: string, user: hub.User | null = null): Promise<void> {
    return this.#components.remove(id, user)
  }

  note(of: hub.Noted, id: string): string {
    return this.#notes.read(of, id)
  }

  saveNote(of: hub.Noted, id: string, text: string): Promise<void> {
    return this.#notes.save(of, id, text)
  }

  async resetPipes(): Promise<void> {
    await this.#resetting.reset({ deletesInputs: true })
  }

  // Pipes and pumps

  pipeIds(): readonly string[] {
    return [...this.#core.deployment.pipes.keys()]
  }

  deployed(id: string): DeployedPipe | undefined {
    return this.#core.deployment.pipes.get(id)
  }

  isInternal(id: string): boolean {
    const { pipes, systems } = this.#core.deployment
    const component = pipes.get(id) ?? systems.get(id)
    return component !== undefined && isInternal(component.effective)
  }

  pipe(id: string, parts: readonly hub.PipePart[] = ['config', 'runtime', 'storage']): string | undefined {
    return this.#pumps.pipeDocument(id, parts)
  }

  pipeConfigText(id: string): string | undefined {
    return this.deployed(id)?.component.text
  }

  pump(id: string): string | undefined {
    return this.#pumps.pumpDocument(id)
  }

  operate(
    id: string,
    operation: string,
    fields: Readonly<Record<string, string>>,
    user: hub.User | null = null,
  ): Promise<void> {
    return this.#pumps.operate(id, operation, fields, user)
  }

  signalled(id: string, token: string): void {
    this.#pumps.signalling.called(id, token)
  }

  subscribe(subscription: Subscription): void {
    this.#pumps.signalling.subscribe(subscription)
  }

  /** Runs a pipe now and waits for it. */
  runNow(id: string): Promise<RunReport> {
    return this.#pumps.runNow(id)
  }

  /** Pipes in an order in which each stands after those that write what it reads; those of one level need not wait for one another. */
  levels(): readonly (readonly Pipe[])[] {
    return levelsOf(this.#core.pipes())
  }

  pipeEntities(id: string, query: hub.PipeQuery, signal: AbortSignal): AsyncGenerator<readonly string[]> {
    return this.#pumps.entities(id, query, signal)
  }

  async preview(query: hub.PreviewQuery, user: hub.User | null = null): Promise<string> {
    return this.#pumps.preview(query, user)
  }

  explain(id: string): string {
    return JSON.stringify(explainPipe(this.#core.runnable(id), this.#core.known(id).inexact))
  }

  receive(id: string, body: Uint8Array, push: hub.PushParameters): Promise<hub.ReceiveAnswer> {
    return this.#pumps.receive(id, body, push)
  }

  takesLong(id: string): boolean {
    return this.#pumps.takesLong(id)
  }

  receiveLong(id: string, pieces: AsyncIterable<Uint8Array>, push: hub.PushParameters): Promise<hub.ReceiveAnswer> {
    return this.#pumps.receiveLong(id, pieces, push)
  }

  async publish(
    id: string,
    form: hub.PublisherForm,
    query: hub.PublishQuery,
    signal: AbortSignal,
  ): Promise<hub.Publication> {
    return this.#pumps.publish(id, form, query, signal)
  }

  publishes(id: string, form: hub.PublisherForm): boolean {
    return this.#pumps.publishes(id, form)
  }

  shareableLinks(pipe: string): readonly hub.ShareableLink[] {
    return this.#links.of(pipe)
  }

  shareLink(pipe: string, link: { readonly exp?: number; readonly description?: string }) {
    return this.#links.create(pipe, link)
  }

  revokeLink(pipe: string, id: string): Promise<boolean> {
    return this.#links.revoke(pipe, id)
  }

  opensPublisher(pipe: string, link: string): boolean {
    return this.#links.opens(pipe, link)
  }

  assertPublishes(id: string, form: hub.PublisherForm): void {
    this.#pumps.assertPublishes(id, form)
  }

  progress(pipe: string, read: number, isRescan: boolean): void {
    this.#pumps.progress(pipe, read, isRescan)
  }

  pumpState(pipe: string): PumpState {
    return this.#pumps.scheduler.state(pipe)
  }

  /** What is done now and then, done now: see housekeeping.ts. */
  tidy(): Promise<void> {
    return this.#pumps.housekeeping.look()
  }

  // Systems

  systemIds(): readonly string[] {
    return this.#systems.ids()
  }

  system(id: string): string | undefined {
    return this.#systems.document(id)
  }

  systemStatus(id: string): Promise<string> {
    return this.#systems.status(id)
  }

  container(id: string): never {
    return this.#systems.container(id)
  }

  forward(id: string, request: hub.ForwardRequest, signal: AbortSignal): Promise<hub.ForwardAnswer> {
    return this.#systems.forward(id, request, signal)
  }

  // Datasets

  snapshot(): Snapshot {
    return this.#core.snapshot()
  }

  dataset(id: string): string | undefined {
    return this.#datasets.document(id)
  }

  size(): { readonly datasets: number; readonly versions: number } {
    return this.#datasets.size()
  }

  liveEntities(dataset: string): number | null {
    return this.#datasets.liveEntities(dataset)
  }

  async deleteDataset(id: string): Promise<boolean> {
    const isThere = await this.#core.writer.journal.deleteDataset(id)
    await this.#indexes.forget(id)
    await this.#notes.prune()
    return isThere
  }

  indexes(dataset: string): string | undefined {
    return this.#indexes.document(dataset)
  }

  deleteIndex(dataset: string, number: number): Promise<void> {
    return this.#indexes.delete(dataset, number)
  }

  propertyIndex(dataset: string, property: string): Promise<string> {
    return this.#indexes.ofProperty(dataset, property)
  }

  feedIndex(dataset: string, index: IndexDocument): Promise<void> {
    return this.#indexes.feed(dataset, index)
  }

  eraseEntity(dataset: string, id: string): Promise<number> {
    return this.#datasets.eraseEntity(dataset, id)
  }

  recordErased(tenant: string, had: { readonly datasets: number; readonly versions: number }): Promise<void> {
    return this.#datasets.recordErased(tenant, had)
  }

  decideBreaker(dataset: string, decision: 'commit' | 'rollback', user: hub.User | null = null): Promise<void> {
    return this.#datasets.decideBreaker(dataset, decision, user)
  }

  repost(dataset: string, ids: readonly string[], user: hub.User | null = null): Promise<readonly hub.Reposted[]> {
    return this.#datasets.repost(dataset, ids, user)
  }

  append(dataset: string, body: Uint8Array, force: boolean, form: hub.TextForm = 'json'): Promise<number> {
    return this.#datasets.append(dataset, body, force, form)
  }

  write(dataset: string, entities: readonly Entity[]): Promise<number> {
    return this.#datasets.write(dataset, entities)
  }

  globalDatasets(): readonly string[] {
    return this.#datasets.global()
  }

  ends(): Readonly<Record<string, number>> {
    return this.#datasets.ends()
  }

  shape(dataset: string): Promise<hub.DatasetShape | undefined> {
    return this.#datasets.shape(dataset)
  }

  // What entities look like

  entityType(pipe: string, side: 'source' | 'sink', withSamples = true): Promise<string> {
    return this.#schema.entityType(pipe, side, withSamples)
  }

  schemaDefinition(
    of: { readonly pipe: string } | { readonly dataset: string },
    query: hub.DefinitionQuery,
  ): Promise<string> {
    return this.#schema.definition(of, query)
  }

  models(query: hub.ModelQuery): Promise<string> {
    return this.#models.all(query)
  }

  model(id: string, query: hub.ModelQuery): Promise<string> {
    return this.#models.one(id, query)
  }

  modelType(id: string, type: string, isEffective: boolean): Promise<Dict> {
    return this.#models.type(id, type, isEffective)
  }

  modelShapes(id: string, type: string | null, isEffective: boolean): Promise<string> {
    return this.#models.shapes(id, type, isEffective)
  }

  uploadModels(text: string, force: boolean): Promise<string> {
    return this.#models.upload(text, force)
  }

  deleteModel(id: string): Promise<void> {
    return this.#models.delete(id)
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
    return this.#core.options.backups.list(this.name).map(backupDocument)
  }

  backup(id: string): string | undefined {
    const found = this.#core.options.backups.list(this.name).find((one) => one.id === id)
    return found && backupDocument(found)
  }

  startBackup(isFull: boolean): string {
    return backupDocument(this.#core.options.backups.begin(this.backupSubject(), isFull))
  }

  backupHealth(): 'healthy' | 'unhealthy' | 'unknown' {
    return this.#core.options.backups.health(this.name)
  }

  backupSubject(): BackupSubject {
    return {
      name: this.name,
      log: join(this.#core.options.folder, 'log'),
      note: async ({ id, ...entry }) => {
        await this.write(BACKUP_DATASET, [dictOf({ _id: id, ...entry }) as Entity])
      },
    }
  }

  flow(): string {
    return JSON.stringify(this.#pumps.flow())
  }

  figures(): AsyncGenerator<readonly PipeFigures[]> {
    return this.#pumps.figures.read()
  }

  takeLags(): readonly Lag[] {
    return this.#pumps.lags.take()
  }

  /** What its health is made of. */
  facts(): TenantFacts {
    const { writer, graph, options } = this.#core
    const status = graph?.status() ?? null
    return {
      name: this.name,
      beats: beats(writer.feed),
      graph: status === null ? null : { state: status.state, lag: status.lag },
      backupTrouble: options.backups.trouble(this.name),
    }
  }

  #openGraph(): Graph {
    if (this.#core.graph === null) throw new HubError('no-graph', 'This hub runs without a graph.')
    return this.#core.graph
  }
}

/** How often the hub was started, in the log's meta table. */
const STARTS = 'starts'

/** Where the backups of a tenant are noted (hub.md §2.10). */
const BACKUP_DATASET = 'system:backup'

const backupDocument = ({ id, ...entry }: BackupEntry): string => JSON.stringify({ _id: id, ...entry })

/** Rows of a SPARQL answer at most; above it the answer says it was cut. */
const MAX_ROWS = 100_000
