/** A tenant on a pump thread: its pipes compiled, its runs, and what else is done there for it. */

import { randomUUID } from 'node:crypto'
import { propertyIndexExpression } from '../../dtl/compile.ts'
import { MAX_ENTITY_BYTES } from '../../log/contract.ts'
import type { Dict } from '../../model/dict.ts'
import { parseJson } from '../../model/json.ts'
import { type TextForm, textWriter } from '../../model/text-form.ts'
import { expose } from '../../pipes/breaker.ts'
import type { NeededIndex } from '../../pipes/contract.ts'
import { appendEntities, type DirectPorts, type Reposted, repost } from '../../pipes/direct-writes.ts'
import { PipeError } from '../../pipes/errors.ts'
import type { Pipe } from '../../pipes/pipe.ts'
import { publishedBytes } from '../../pipes/publish.ts'
import { runPipe } from '../../pipes/pump.ts'
import type { RunPorts } from '../../pipes/run-ports.ts'
import type { RunReport } from '../../pipes/run-report.ts'
import type { RunOrder } from '../../pipes/schedule.ts'
import { toldByLog } from '../../pipes/schema/of-dataset.ts'
import type { DocumentOptions } from '../../pipes/schema/type-document.ts'
import { parsePush } from '../../pipes/sources/http-endpoint.ts'
import { type Reach, reachOf } from '../../pipes/systems/reach.ts'
import { OUTER_TARGETS, type TargetRules } from '../../pipes/systems/targets.ts'
import { changedPipes } from '../changes.ts'
import type { CompactionOccasion } from '../compactor.ts'
import type {
  DatasetShape,
  ForwardRequest,
  PipeQuery,
  PreviewQuery,
  PushParameters,
  ReceiveAnswer,
} from '../contract.ts'
import type { Deployment } from '../deployment.ts'
import { previewAnswer } from '../preview.ts'
import type { ForwardHead, PublishArgument } from '../pump-protocol.ts'
import type { SecretBytes } from '../secrets/known.ts'
import { Compactions } from './compactions.ts'
import type { PumpingCore } from './core.ts'
import { datasetDefinition, pipeDefinition, type SchemaDefinition } from './definitions.ts'
import { forwarded } from './forwarding.ts'
import { PumpingIndexes } from './indexes.ts'
import { entitiesOf } from './reading.ts'
import { Receivers } from './receivers.ts'
import { PumpingSchemas } from './schemas.ts'
import { Shapes } from './shapes.ts'

export class PumpingTenant {
  readonly #core: PumpingCore
  readonly #indexes: PumpingIndexes
  readonly #compactions: Compactions
  readonly #receivers: Receivers
  readonly #shapes: Shapes
  readonly #schemas: PumpingSchemas

  /** `infersTypes`: of pipes that do not say, and whose node does not. */
  constructor(core: PumpingCore, { infersTypes = true } = {}) {
    this.#core = core
    this.#schemas = new PumpingSchemas(core, infersTypes)
    this.#indexes = new PumpingIndexes(this.#core)
    this.#compactions = new Compactions(this.#core)
    // A receiver outlives deployments: it asks for systems as they are when it needs them.
    this.#receivers = new Receivers((pipe) => ({ ...this.#ports(pipe), system: (id) => core.system(id) }))
    this.#shapes = new Shapes(core.log)
  }

  /** `isKeeper`: what only one thread is to do is done here. */
  async deploy(deployment: Deployment, isKeeper = true, targets: TargetRules = OUTER_TARGETS): Promise<void> {
    const former = this.#core.deployment
    const changed = changedPipes(former, deployment)
    this.#receivers.forget(changed)
    this.#core.adopt(deployment, targets)
    if (!isKeeper) return
    await this.#indexes.keepAll([...deployment.pipes.values()].flatMap(({ pipe }) => pipe ?? []))
    if (former === null) this.#finishExposing()
  }

  setSecrets(secrets: readonly SecretBytes[]): void {
    this.#core.setSecrets(secrets)
  }

  mask(text: string): string {
    return this.#core.secrets.mask(text)
  }

  close(): Promise<void> {
    return this.#core.close(() => this.#compactions.idle())
  }

  async run(id: string, order: RunOrder): Promise<RunReport> {
    const runs = order.isBackground === true ? this.#core.rescans : this.#core.runs
    const pipe = this.#core.pipe(id)
    if (runs.has(id)) throw new PipeError('already-running', `Pipe '${id}' is running already.`)
    const abort = new AbortController()
    runs.set(id, abort)
    const progress = (read: number) =>
      this.#core.emit({
        type: 'progress',
        tenant: this.#core.name,
        pipe: id,
        read,
        isRescan: order.isBackground === true,
      })
    try {
      const ports = { ...this.#ports(pipe, order.user?.request_id), progress }
      return await this.#core.use(runPipe(pipe, ports, order, abort.signal))
    } finally {
      runs.delete(id)
    }
  }

  /** A pipe runs on another thread now, or no longer. */
  hear(pipe: string, isRunning: boolean): void {
    const { elsewhere } = this.#core
    if (isRunning) elsewhere.add(pipe)
    else elsewhere.delete(pipe)
  }

  stop(id: string): void {
    this.#core.runs.get(id)?.abort()
    this.#core.rescans.get(id)?.abort()
    this.#compactions.stop(id)
  }

  compact(id: string, occasion: CompactionOccasion, projected: Readonly<Record<string, number>>): Promise<number> {
    return this.#compactions.compact(id, occasion, projected)
  }

  trim(dataset: string, hours: number, projected: Readonly<Record<string, number>>): Promise<number> {
    return this.#compactions.trim(dataset, hours, projected)
  }

  settle(dataset: string, projected: Readonly<Record<string, number>>): Promise<void> {
    return this.#compactions.settle(dataset, projected)
  }

  relieve(pipe: string): Promise<void> {
    return this.#compactions.relieve(pipe)
  }

  /** Gives how many versions were erased. */
  erase(dataset: string, id: string, projected: Readonly<Record<string, number>>): Promise<number> {
    return this.#compactions.erase(dataset, id, projected)
  }

  /** Something of the dataset was erased: what was kept in memory of it goes too. */
  forget(dataset: string): Promise<void> {
    this.#shapes.forget(dataset)
    this.#core.found.forget()
    return this.#schemas.forgetSamples(dataset)
  }

  /** What is known of the pipe's entities is forgotten; what is counted at the moment begins anew. */
  async discardSchema(id: string): Promise<void> {
    const pipe = this.#core.deployment?.pipes.get(id)?.pipe ?? null
    const told = pipe === null ? null : toldByLog(pipe)
    if (told !== null) this.#shapes.forget(told)
    await this.#schemas.discard(id)
  }

  fill(index: NeededIndex): Promise<void> {
    return this.#indexes.fill(index)
  }

  async receive(id: string, body: Uint8Array, push: PushParameters): Promise<ReceiveAnswer> {
    return this.#core.use(this.#receivers.take(this.#core.pipe(id), body, push))
  }

  beginReceive(id: string, push: PushParameters): number {
    return this.#receivers.begin(this.#core.pipe(id), push)
  }

  addReceived(number: number, piece: Uint8Array): Promise<void> {
    return this.#receivers.add(number, piece)
  }

  endReceive(number: number, isWhole: boolean): Promise<ReceiveAnswer> {
    return this.#receivers.end(number, isWhole)
  }

  /** What is sent to the pipe is taken in elsewhere from now on. */
  letGo(id: string): void {
    this.#receivers.letGo(id)
  }

  expose(dataset: string): Promise<void> {
    return expose(this.#direct, dataset, { signal: this.#core.closing.signal })
  }

  repost(dataset: string, ids: readonly string[]): Promise<readonly Reposted[]> {
    return repost(this.#direct, dataset, ids, this.#maxEntityBytes(dataset))
  }

  append(dataset: string, body: Uint8Array, force: boolean, form: TextForm): Promise<number> {
    return appendEntities(this.#direct, dataset, parsePush(body, {}, form), this.#maxEntityBytes(dataset), force)
  }

  async preview(query: PreviewQuery): Promise<string> {
    const { log, deployment, closing } = this.#core
    if (deployment === null) throw new PipeError('unknown-pipe', `There is no pipe '${query.pipe}'.`)
    const ports = { turn: this.#core.turn(query.pipe), system: this.#core.systems(), secrets: this.#core.secrets }
    return previewAnswer(log, deployment, query, closing.signal, ports)
  }

  async *read(id: string, query: PipeQuery, signal: AbortSignal): AsyncGenerator<readonly string[]> {
    const pipe = this.#core.pipe(id)
    const ports = this.#ports(pipe, query.cause)
    const write = textWriter(query.form ?? 'json')
    for await (const batch of this.#used(entitiesOf(pipe, ports, query, query.stage, signal))) {
      yield batch.map((entity) => write(entity))
    }
  }

  /** As long as it is read, its systems stay open. */
  async *#used<T>(work: AsyncIterable<T>): AsyncGenerator<T> {
    let end = () => {}
    void this.#core.use(
      new Promise<void>((resolve) => {
        end = resolve
      }),
    )
    try {
      yield* work
    } finally {
      end()
    }
  }

  publish(
    { pipe: id, form, text, since, limit, bound, cause }: PublishArgument,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array> {
    const pipe = this.#core.pipe(id)
    // Who asks a publisher asks for all that its pipe does.
    const query = { since, limit, bound: parseJson(bound) as Dict, withSideEffects: true }
    const entities = this.#schemas.published(pipe, (note) =>
      entitiesOf(pipe, this.#ports(pipe, cause), { ...query, note }, 'sink', signal),
    )
    return publishedBytes(pipe, form, text, this.#used(entities))
  }

  reach(system: string): Promise<Reach> {
    return reachOf(this.#core.systems()(system), this.#core.closing.signal)
  }

  forward(system: string, request: ForwardRequest, signal: AbortSignal): AsyncIterable<ForwardHead | Uint8Array> {
    return forwarded(this.#core.systems()(system), request, signal)
  }

  shape(dataset: string): Promise<DatasetShape | null> {
    return this.#shapes.of(dataset)
  }

  /** As JSON text, in the form of the types of pipes. */
  datasetType(dataset: string, options: DocumentOptions): Promise<string | null> {
    return this.#shapes.typeOf(dataset, options)
  }

  /** What a table needs for the entities of a pipe, or of a dataset; null: there is no such dataset. */
  async schemaDefinition(
    { pipe, dataset }: { readonly pipe?: string; readonly dataset?: string },
    sampleSize: number,
  ): Promise<SchemaDefinition | null> {
    const { log, closing } = this.#core
    if (pipe === undefined) return datasetDefinition(log, dataset as string, sampleSize)
    const known = this.#core.pipe(pipe)
    return pipeDefinition(known, this.#ports(known), sampleSize, closing.signal)
  }

  async propertyIndex(dataset: string, property: string): Promise<string> {
    const expression = propertyIndexExpression(property)
    await this.#indexes.assert({ dataset, expression })
    return expression
  }

  /** What was decided before the hub ended is done now; whoever writes to the dataset has to wait for it. */
  #finishExposing(): void {
    const snapshot = this.#core.log.snapshot()
    try {
      for (const { id } of snapshot.datasets()) {
        if (snapshot.dataset(id)?.staging()?.state === 'exposing') this.#core.track(this.expose(id))
      }
    } finally {
      snapshot.close()
    }
  }

  get #direct(): DirectPorts {
    const { journal, log, indexes } = this.#core
    return { journal, log, indexes }
  }

  /** Of the sink that writes the dataset, or of the node. */
  #maxEntityBytes(dataset: string): number {
    const { deployment } = this.#core
    for (const { pipe } of deployment?.pipes.values() ?? []) {
      if (pipe?.sink.kind === 'dataset' && pipe.sink.dataset === dataset) return pipe.sink.rules.maxEntityBytes
    }
    return deployment?.node.maxEntityBytes ?? MAX_ENTITY_BYTES
  }

  #ports(pipe: Pipe, cause?: string): RunPorts {
    const { journal, log, found, indexes, naming, besides } = this.#core
    return {
      journal,
      log,
      found,
      indexes,
      logger: this.#core.logger(pipe.id, cause),
      now: Date.now,
      uuid: randomUUID,
      naming,
      system: this.#core.systems(),
      secrets: this.#core.secrets,
      assertIndex: (index) => this.#indexes.assert(index),
      keepIndex: (dataset, expression) => this.#indexes.keep(dataset, expression),
      relieve: (written) => this.#compactions.awaitRelief(written),
      turn: this.#core.turn(pipe.id),
      besides,
      ...this.#schemas.of(pipe),
    }
  }
}
