/** All tenants of a pump thread: their logs open for reading, their pipes compiled, their runs. */

import { randomUUID } from 'node:crypto'
import { INDEX_FINGERPRINT, propertyIndexExpression, shownExpression } from '../dtl/compile.ts'
import { type IndexDocument, type Journal, MAX_ENTITY_BYTES } from '../log/contract.ts'
import { fillIndex } from '../log/fill.ts'
import { connectJournal } from '../log/journal.ts'
import { type LogReader, openLog } from '../log/reader.ts'
import { type Dict, newDict } from '../model/dict.ts'
import type { Entity } from '../model/entity.ts'
import { createNaming, type Naming } from '../model/iri.ts'
import { parseJson, writeJson } from '../model/json.ts'
import { expose } from '../pipes/breaker.ts'
import type { NeededIndex } from '../pipes/contract.ts'
import { IndexCompiler } from '../pipes/dataset-writer.ts'
import { appendEntities, type DirectPorts, type Reposted, repost } from '../pipes/direct-writes.ts'
import { PipeError } from '../pipes/errors.ts'
import { GuardedReceiver } from '../pipes/guarded-receiver.ts'
import { updatedEntity, withVersions } from '../pipes/locking.ts'
import type { Logger } from '../pipes/logger.ts'
import { FoundBefore } from '../pipes/lookup.ts'
import { isPublisher, isReceiver, type Pipe } from '../pipes/pipe.ts'
import { ReadPosition } from '../pipes/position.ts'
import { publishedText } from '../pipes/publish.ts'
import { runPipe } from '../pipes/pump.ts'
import { Receiver } from '../pipes/receiver.ts'
import { runContext } from '../pipes/run-context.ts'
import type { RunPorts } from '../pipes/run-ports.ts'
import type { RunReport } from '../pipes/run-report.ts'
import { parsePush } from '../pipes/sources/http-endpoint.ts'
import type { SystemPort, SystemSurroundings } from '../pipes/systems/contract.ts'
import { openSystems, type SystemPool } from '../pipes/systems/pool.ts'
import { urlSystem } from '../pipes/systems/url.ts'
import type { UrlConfig } from '../pipes/systems/url-config.ts'
import { isFiltered, transformBatch } from '../pipes/transform-batch.ts'
import { type CompactionOccasion, Compactor } from './compactor.ts'
import type { PushParameters, ReceiveAnswer } from './contract.ts'
import { type Deployment, deploy } from './deployment.ts'
import { eraseEntity } from './erasure.ts'
import { HubError } from './errors.ts'
import type { PumpEvent, PumpMethods } from './pump-protocol.ts'
import type { Readers } from './readers.ts'
import { ShapeFold } from './shape.ts'

export class PumpHouse {
  readonly #tenants = new Map<string, Tenant>()
  readonly #emit: (event: PumpEvent) => void

  constructor(emit: (event: PumpEvent) => void) {
    this.#emit = emit
  }

  readonly calls: PumpMethods['calls'] = {
    open: async ({ tenant, base, path, journal }) => {
      this.#tenants.set(tenant, new Tenant(tenant, base, openLog(path), connectJournal(journal), this.#emit))
    },
    close: async ({ tenant }) => {
      await this.#tenants.get(tenant)?.close()
      this.#tenants.delete(tenant)
    },
    deploy: async (text) => {
      await this.#tenant(text.tenant).deploy(deploy(text.components, text.env, text.folder))
    },
    run: ({ tenant, pipe, rescan }) => this.#tenant(tenant).run(pipe, rescan),
    compact: ({ tenant, pipe, occasion, projected }) => this.#tenant(tenant).compact(pipe, occasion, projected),
    settle: ({ tenant, dataset, projected }) => this.#tenant(tenant).settle(dataset, projected),
    erase: ({ tenant, dataset, id, projected }) => this.#tenant(tenant).erase(dataset, id, projected),
    stop: async ({ tenant, pipe }) => this.#tenant(tenant).stop(pipe),
    receive: ({ tenant, pipe, body, push }) => this.#tenant(tenant).receive(pipe, body, push),
    expose: ({ tenant, dataset }) => this.#tenant(tenant).expose(dataset),
    repost: ({ tenant, dataset, ids }) => this.#tenant(tenant).repost(dataset, ids),
    append: ({ tenant, dataset, body, force }) => this.#tenant(tenant).append(dataset, body, force),
    shape: ({ tenant, dataset }) => this.#tenant(tenant).shape(dataset),
    propertyIndex: ({ tenant, dataset, property }) => this.#tenant(tenant).propertyIndex(dataset, property),
  }

  readonly streams: PumpMethods['streams'] = {
    read: ({ tenant, pipe, query }, signal) => this.#tenant(tenant).read(pipe, query, signal),
    publish: ({ tenant, pipe, form, since, limit, bound }, signal) => {
      const host = this.#tenant(tenant)
      const publisher = host.pipe(pipe)
      if (!isPublisher(publisher)) throw new PipeError('not-a-publisher', `Pipe '${pipe}' is not a publisher.`)
      const entities = host.entities(publisher, { since, limit, bound: parseJson(bound) as Dict }, 'sink', signal)
      return publishedText(publisher, form, entities)
    },
  }

  #tenant(name: string): Tenant {
    const tenant = this.#tenants.get(name)
    if (tenant === undefined) throw new HubError('unknown-tenant', `Tenant '${name}' is not open.`)
    return tenant
  }
}

const PLAIN_WEB: UrlConfig = {
  type: 'system:url',
  url_pattern: '%s',
  verify_ssl: true,
  connect_timeout: 60,
  read_timeout: 1800,
  ignore_invalid_content_length_response_header: false,
}

/** A source or sink without a system has only absolute addresses. */
const plainWeb = (surroundings: SystemSurroundings): SystemPort => urlSystem.open('', PLAIN_WEB, surroundings)

class Tenant {
  readonly #name: string
  readonly #base: string
  readonly #log: LogReader
  readonly #journal: Journal
  readonly #emit: (event: PumpEvent) => void
  readonly #found = new FoundBefore()
  readonly #indexes = new IndexCompiler()
  readonly #runs = new Map<string, AbortController>()
  /** Of which pipe each is that is under way. */
  readonly #compactions = new Map<AbortController, string>()
  readonly #compactor: Compactor
  /** Of all work that goes on between two runs. */
  readonly #closing = new AbortController()
  readonly #fills = new Set<Promise<void>>()
  /** The indexes that nobody waits for, one after the other. */
  #filling: Promise<void> = Promise.resolve()
  readonly #receivers = new Map<string, Receiver | GuardedReceiver>()
  readonly #shapes = new Map<string, ShapeFold>()
  #deployment: Deployment | null = null
  #systems: SystemPool | null = null
  #naming: Naming

  constructor(name: string, base: string, log: LogReader, journal: Journal, emit: (event: PumpEvent) => void) {
    this.#name = name
    this.#base = base
    this.#naming = createNaming({ base })
    this.#log = log
    this.#journal = journal
    this.#emit = emit
    this.#compactor = new Compactor(journal, log, Date.now, this.#closing.signal)
  }

  async deploy(deployment: Deployment): Promise<void> {
    const former = this.#systems
    this.#deployment = deployment
    this.#naming = createNaming({ base: this.#base, namespaces: deployment.node.prefixes })
    this.#systems = openSystems(deployment.systems, plainWeb, {
      folder: deployment.folder,
      // Loopback and private addresses are open to the default tenant only (design: security).
      privateTargets: this.#name === 'default',
    })
    this.#receivers.clear()
    // Runs under way keep the systems they were given; those are closed once nobody waits on them.
    await former?.close()
    await this.#keepIndexes(deployment)
    this.#finishExposing()
  }

  /** Those that sinks name: declared now, all in one commit, so that every batch from now on maintains them. */
  async #keepIndexes(deployment: Deployment): Promise<void> {
    const sinks = [...deployment.pipes.values()].flatMap(({ pipe }) =>
      pipe?.sink.kind === 'dataset' ? [pipe.sink] : [],
    )
    await Promise.all(
      sinks.flatMap(({ dataset, indexes }) =>
        indexes.map((expression) =>
          this.#keepIndex(dataset, expression).catch((error) => this.#reportIndex(dataset, expression, error)),
        ),
      ),
    )
  }

  /** Declares an index; it is filled in the background, after those that were declared before it. */
  async #keepIndex(dataset: string, expression: string): Promise<void> {
    const state = this.#indexState(dataset, expression)
    if (state === 'ready') return
    if (state === undefined) {
      const { state: begun } = await this.#journal.assertIndex(dataset, expression, INDEX_FINGERPRINT)
      if (begun === 'ready') return
    }
    this.#filling = this.#filling
      .then(() => this.#assertIndex({ dataset, expression }))
      .catch((error) => this.#reportIndex(dataset, expression, error))
  }

  #reportIndex(dataset: string, expression: string, error: Error): void {
    if (this.#closing.signal.aborted) return
    const message = `The index ${shownExpression(expression)} of dataset '${dataset}' could not be filled: ${error.message}`
    this.#emit({ type: 'log', level: 'warn', message, details: { tenant: this.#name, dataset } })
  }

  #indexState(dataset: string, expression: string): IndexDocument['state'] | undefined {
    const snapshot = this.#log.snapshot()
    try {
      const { indexes } = snapshot.dataset(dataset)?.document ?? { indexes: [] }
      return indexes.find((one) => one.expression === expression && one.fingerprint === INDEX_FINGERPRINT)?.state
    } finally {
      snapshot.close()
    }
  }

  /** What was decided before the hub ended is done now; whoever writes to the dataset has to wait for it. */
  #finishExposing(): void {
    const snapshot = this.#log.snapshot()
    try {
      for (const { id } of snapshot.datasets()) {
        if (snapshot.dataset(id)?.staging()?.state === 'exposing') this.#track(this.expose(id))
      }
    } finally {
      snapshot.close()
    }
  }

  /** Work that is to end before the log is closed. */
  #track(work: Promise<void>): void {
    const forget = () => void this.#fills.delete(ended)
    const ended: Promise<void> = work.then(forget, forget)
    this.#fills.add(ended)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    for (const run of this.#runs.values()) run.abort()
    await Promise.all(this.#fills)
    await this.#compactor.idle()
    while (this.#runs.size > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await this.#systems?.close()
    await this.#log.close()
  }

  pipe(id: string): Pipe {
    const deployed = this.#deployment?.pipes.get(id)
    if (deployed === undefined) throw new PipeError('unknown-pipe', `There is no pipe '${id}'.`)
    if (deployed.pipe === null) {
      throw new PipeError('invalid-pipe', `Pipe '${id}' has errors in its configuration and cannot run.`)
    }
    return deployed.pipe
  }

  async run(id: string, rescan: boolean): Promise<RunReport> {
    const pipe = this.pipe(id)
    if (this.#runs.has(id)) throw new PipeError('already-running', `Pipe '${id}' is running already.`)
    const abort = new AbortController()
    this.#runs.set(id, abort)
    try {
      return await runPipe(pipe, this.#ports(pipe), { rescan }, abort.signal)
    } finally {
      this.#runs.delete(id)
    }
  }

  /** Gives how many versions went from the pipe's dataset; one that is stopped goes on where it was the next time. */
  async compact(
    id: string,
    occasion: CompactionOccasion,
    projected: Readonly<Record<string, number>>,
  ): Promise<number> {
    const pipe = this.pipe(id)
    const abort = new AbortController()
    this.#compactions.set(abort, id)
    try {
      return await this.#compactor.compactFor(pipe, occasion, this.#readers(projected), abort.signal)
    } catch (error) {
      if (abort.signal.aborted || this.#closing.signal.aborted) return 0
      throw error
    } finally {
      this.#compactions.delete(abort)
    }
  }

  async settle(dataset: string, projected: Readonly<Record<string, number>>): Promise<void> {
    await this.#compactor.settle(dataset, this.#readers(projected), this.#closing.signal)
  }

  /** Gives how many versions were erased. */
  async erase(dataset: string, id: string, projected: Readonly<Record<string, number>>): Promise<number> {
    const ports = { journal: this.#journal, log: this.#log, now: Date.now, uuid: randomUUID }
    const erased = await eraseEntity(ports, dataset, id)
    await this.settle(dataset, projected)
    // What was kept in memory of it goes too.
    this.#shapes.delete(dataset)
    this.#found.forget()
    return erased
  }

  /** What was written is stored: a compaction that fails is told, and is no failure of the writer. */
  async #relieve(pipe: Pipe): Promise<void> {
    try {
      await this.#compactor.relieve(pipe, this.#readers({}))
    } catch (error) {
      if (this.#closing.signal.aborted) return
      this.#logger(pipe.id).error(`The compaction of the dataset failed: ${(error as Error).message}`)
    }
  }

  #readers(projected: Readonly<Record<string, number>>): Readers {
    return { pipes: this.#deployment?.pipes ?? new Map(), isRunning: (pipe) => this.#runs.has(pipe), projected }
  }

  stop(id: string): void {
    this.#runs.get(id)?.abort()
    for (const [compaction, pipe] of this.#compactions) if (pipe === id) compaction.abort()
  }

  async receive(id: string, body: Uint8Array, push: PushParameters): Promise<ReceiveAnswer> {
    const { sink } = this.pipe(id)
    try {
      const received = await this.#receiver(id).take(body, push)
      await this.#relieve(this.pipe(id))
      const isLocked = sink.kind === 'dataset' && sink.rules.isLocked
      return { updated: isLocked ? updatedEntity(this.#log, sink.dataset, received) : null }
    } catch (error) {
      throw withVersions(this.#log, error)
    }
  }

  #receiver(id: string): Receiver | GuardedReceiver {
    const pipe = this.pipe(id)
    if (!isReceiver(pipe)) throw new PipeError('not-a-receiver', `Pipe '${id}' does not receive entities.`)
    let receiver = this.#receivers.get(id)
    if (receiver === undefined) {
      const { sink } = pipe
      const ports = this.#ports(pipe)
      const isTripping = pipe.transforms.some(({ analysis }) => analysis.trips)
      const isGuarded = sink.kind === 'dataset' && (sink.breaker !== null || isTripping)
      receiver = isGuarded ? new GuardedReceiver(pipe, sink, ports) : new Receiver(pipe, ports)
      this.#receivers.set(id, receiver)
    }
    return receiver
  }

  expose(dataset: string): Promise<void> {
    return expose(this.#direct, dataset, { signal: this.#closing.signal })
  }

  repost(dataset: string, ids: readonly string[]): Promise<readonly Reposted[]> {
    return repost(this.#direct, dataset, ids, this.#maxEntityBytes(dataset))
  }

  append(dataset: string, body: Uint8Array, force: boolean): Promise<number> {
    return appendEntities(this.#direct, dataset, parsePush(body, {}), this.#maxEntityBytes(dataset), force)
  }

  get #direct(): DirectPorts {
    return { journal: this.#journal, log: this.#log, indexes: this.#indexes }
  }

  /** Of the sink that writes the dataset, or of the node. */
  #maxEntityBytes(dataset: string): number {
    for (const { pipe } of this.#deployment?.pipes.values() ?? []) {
      if (pipe?.sink.kind === 'dataset' && pipe.sink.dataset === dataset) return pipe.sink.rules.maxEntityBytes
    }
    return this.#deployment?.node.maxEntityBytes ?? MAX_ENTITY_BYTES
  }

  async *read(
    id: string,
    query: { stage: 'source' | 'before-transforms' | 'after-transforms' | 'sink'; since?: string; limit?: number },
    signal: AbortSignal,
  ): AsyncGenerator<readonly string[]> {
    for await (const batch of this.entities(this.pipe(id), query, query.stage, signal)) {
      yield batch.map((entity) => writeJson(entity))
    }
  }

  /** What the pipe makes of its source now: nothing is stored, no offset moves. */
  async *entities(
    pipe: Pipe,
    query: { readonly since?: string | undefined; readonly limit?: number | undefined; readonly bound?: Dict },
    stage: 'source' | 'before-transforms' | 'after-transforms' | 'sink',
    signal: AbortSignal,
  ): AsyncGenerator<readonly Entity[]> {
    const position = new ReadPosition(this.#log.snapshot())
    try {
      const ports = this.#ports(pipe)
      const source = pipe.source.open({
        pipe: pipe.id,
        batchSize: Math.min(pipe.batchSize, query.limit ?? pipe.batchSize),
        system: ports.system,
        snapshot: () => position.snapshot,
        namespacedIdentifiers: pipe.settings.namespacedIdentifiers,
        identityNamespace: pipe.settings.namespaces.identity,
        language: pipe.settings,
        naming: ports.naming,
        log: ports.logger,
        now: ports.now,
      })
      const { bound = newDict() } = query
      const context = runContext(pipe, position, { found: this.#found, now: ports.now, bound, logger: ports.logger })
      for (const index of pipe.indexes) {
        if (position.snapshot.dataset(index.dataset) !== undefined) await this.#assertIndex(index)
      }
      position.moveToPresent()
      let left = query.limit ?? Number.POSITIVE_INFINITY
      if (left <= 0) return
      for await (const batch of source.read(query.since ?? null, signal)) {
        let made = await transformBatch(pipe, batch.entities, context, { stage, signal })
        if (stage === 'sink') made = made.filter((entity) => !isFiltered(entity))
        if (made.length > left) made = made.slice(0, left)
        left -= made.length
        if (made.length > 0) yield made
        if (left <= 0) return
        position.moveToPresent()
      }
    } finally {
      position.close()
    }
  }

  async shape(dataset: string): Promise<ReturnType<ShapeFold['shape']> | null> {
    const snapshot = this.#log.snapshot()
    try {
      const view = snapshot.dataset(dataset)
      if (view === undefined) return null
      let fold = this.#shapes.get(dataset)
      if (fold === undefined || fold.generation !== view.document.generation) {
        fold = new ShapeFold(view.document.generation)
        this.#shapes.set(dataset, fold)
      }
      await fold.follow(view)
      return fold.shape(view.counts().existing)
    } finally {
      snapshot.close()
    }
  }

  async propertyIndex(dataset: string, property: string): Promise<string> {
    const expression = propertyIndexExpression(property)
    await this.#assertIndex({ dataset, expression })
    return expression
  }

  #assertIndex({ dataset, expression, feeds = false }: NeededIndex): Promise<void> {
    const keysOf = (entity: Entity) => this.#indexes.keysOf(expression, entity)
    const fill = fillIndex(this.#journal, this.#log, dataset, expression, keysOf, {
      fingerprint: INDEX_FINGERPRINT,
      signal: this.#closing.signal,
      feeds,
    })
    this.#track(fill)
    return fill
  }

  #ports(pipe: Pipe): RunPorts {
    const systems = this.#systems
    return {
      journal: this.#journal,
      log: this.#log,
      found: this.#found,
      indexes: this.#indexes,
      logger: this.#logger(pipe.id),
      now: Date.now,
      uuid: randomUUID,
      naming: this.#naming,
      system: (id) => {
        if (systems === null) throw new PipeError('unknown-system', 'No systems are deployed.')
        return systems.get(id)
      },
      assertIndex: (index) => this.#assertIndex(index),
      keepIndex: (dataset, expression) => this.#keepIndex(dataset, expression),
      relieve: (written) => this.#relieve(written),
      progress: (read) => this.#emit({ type: 'progress', tenant: this.#name, pipe: pipe.id, read }),
    }
  }

  #logger(pipe: string): Logger {
    const at =
      (level: 'debug' | 'info' | 'warn' | 'error') =>
      (message: string, details = {}) =>
        this.#emit({ type: 'log', level, message, details: { tenant: this.#name, pipe, ...details } })
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  }
}
