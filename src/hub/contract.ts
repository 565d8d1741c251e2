/** What the doors (api, cli) see of a running hub. Errors are HubError and carry a stable `code`; only the api knows statuses. */

import type { NetworkPolicy, NetworkPolicyDocument } from '../config/network-policy.ts'
import type { Problem } from '../config/problems.ts'
import type { GraphAnswer, GraphStatus } from '../graph/contract.ts'
import type { Snapshot } from '../log/contract.ts'
import type { Dict } from '../model/dict.ts'
import type { Naming } from '../model/iri.ts'
import type { TextForm } from '../model/text-form.ts'
import type { Value } from '../model/value.ts'
import type { User as EventUser } from '../pipes/execution/event.ts'
import type { PublisherForm } from '../pipes/publish.ts'
import type { Access } from './access/access.ts'
import type { AuditLog } from './access/audit.ts'
import type { Guard } from './access/guard.ts'
import type { ComponentName, Principal } from './access/permission.ts'
import type { ConfigurationDoor, SecretsDoor } from './contract-configuration.ts'
import type { PipeFigures } from './figures/figures.ts'
import type { Lag } from './flow/lag.ts'
import type { Disk } from './health/assess.ts'
import type { Health } from './health/reason.ts'
import type { LogBook } from './logs/book.ts'
import type { Runner } from './runner/contract.ts'
import type { ShareableLink } from './tenant/links.ts'
import type { Noted } from './tenant/notes.ts'
import type { Subscription } from './webhooks.ts'

export type { TextForm } from '../model/text-form.ts'
export type { PublisherForm } from '../pipes/publish.ts'
export type { DatasetFigures, PipeFigures, PumpFigures } from './figures/figures.ts'
export type { Runner, RunnerOptions, RunnerResult } from './runner/contract.ts'
export type { ShareableLink } from './tenant/links.ts'
export type { Noted } from './tenant/notes.ts'
/** Who does something: for logs, and for what it needs permission for. */
export interface User extends EventUser {
  /** Absent: whoever sits at the machine, who may do everything. */
  readonly principal?: Principal
}

/** What a thread that runs pipes is at. */
export interface ThreadStatus {
  readonly number: number
  /** Threads are started when there is something for them. */
  readonly isStarted: boolean
  /** Share of its time it was busy of late: 0 to 1. */
  readonly busy: number
  /** `startedAt` in milliseconds since 1970. */
  readonly runs: readonly { readonly tenant: string; readonly pipe: string; readonly startedAt: number }[]
  /** Times that it was lost and replaced. */
  readonly restarts: number
  /** The pipe it worked for, as far as it is known. */
  readonly lastLoss: {
    readonly at: number
    readonly message: string
    readonly tenant?: string
    readonly pipe?: string
  } | null
}

export interface Node {
  readonly id: string
  readonly version: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly developer: boolean
  /** Of the node with all its tenants, or of what concerns one. */
  health(tenant: string | null): Promise<Health>
  /** The disks of the folders that it writes, as they were seen last. */
  disks(): readonly Disk[]
  /** Starts since its version became what it is. */
  readonly restarts: number
  /** What the hub says, and what it said of late. */
  readonly logs: LogBook
  /** Accounts, roles and tokens. */
  readonly access: Access
  readonly audit: AuditLog
  tenants(): readonly Tenant[]
  /** The threads that run pipes. */
  threads(): readonly ThreadStatus[]
  /** Who may come in, by address. */
  network(): NetworkPolicy
  /** In force and stored when it returns. */
  replaceNetwork(document: NetworkPolicyDocument): void
  /** The reference of DTL, made of what its compiler knows. */
  language(): JsonText
  /** Patterns to write systems after, and sources and sinks that use the one of this id. */
  prototypes(of: 'system'): JsonText
  prototypes(of: 'source' | 'sink', system: string): JsonText
  /** The text without the secrets of any tenant: for whatever goes out and is no data. */
  mask(text: string): string
  /** `default` is always there. */
  tenant(name: string): Tenant | undefined
  /** Name: 1-63 of a-z, 0-9 and `-`, starting with a letter. Codes: tenant-exists, bad-tenant-name. */
  createTenant(name: string): Promise<Tenant>
  /** Codes: unknown-tenant, tenant-protected (`default`). Its data is gone when it resolves. */
  deleteTenant(name: string): Promise<void>
  /** Ends tenants and opens them again, from what is on disk. Whoever asks for one meanwhile gets `tenant-restarting`. */
  restart(names: readonly string[]): Promise<void>
  /** The same, with nothing left of them: neither data nor configuration. */
  reset(names: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** JSON text of documents in the shapes of rest-api.md §2, ready to be sent. */
export type JsonText = string

export interface Tenant {
  readonly name: string
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** IRI base without a slash at the end. */
  readonly base: string
  naming(): Naming
  /** Whether somebody may do something to a pipe, a system or a dataset. */
  readonly guard: Guard
  /** The list that was put for a component, or with what it inherits. Codes: unknown-pipe, unknown-system, unknown-dataset. */
  permissions(component: ComponentName, isEffective: boolean): JsonText
  /** Codes: as above, bad-permissions. */
  replacePermissions(component: ComponentName, given: Value): Promise<void>

  readonly configuration: ConfigurationDoor
  readonly secrets: SecretsDoor
  /** The text without the values of its secrets. */
  mask(text: string): string
  /** The configuration as a JSON array, each component exactly as it was given. */
  configText(): JsonText
  /**
   * Replaces all. Without `force` it throws `config-rejected` with `problems` when there is an error, and
   * `config-breaker-tripped` when it would delete much and the node asks for this; `forbidden` when the user may not.
   */
  replaceConfig(text: string, force: boolean, folder?: null, user?: User | null): Promise<readonly Problem[]>
  problems(): readonly Problem[]
  env(): JsonText
  replaceEnv(text: string): Promise<void>

  /** A pipe or system exactly as it was given; undefined when there is none with this id. */
  componentText(id: string): JsonText | undefined
  /**
   * Puts the components of a JSON array beside the others, or in the place of those with their ids; gives what is wrong with
   * them. Code: config-rejected, when something is wrong now that was not before; with `force` only for what cannot be read.
   */
  putComponents(array: string, force: boolean, user?: User | null): Promise<readonly Problem[]>
  removeComponent(id: string, user?: User | null): Promise<void>
  /** What people noted of a thing: a JSON object. */
  note(of: Noted, id: string): JsonText
  saveNote(of: Noted, id: string, text: string): Promise<void>
  /** Pipes of users begin from nothing, and what they wrote is deleted. */
  resetPipes(): Promise<void>
  readonly runner: Runner

  pipeIds(): readonly string[]
  /** Whether the hub, or another tool, made the pipe or system for itself (rest-api.md §2.1, `metadata.origin`). */
  isInternal(id: string): boolean
  /** rest-api.md §2.1; undefined when unknown. Without `parts`: config, runtime and storage. */
  pipe(id: string, parts?: readonly PipePart[]): JsonText | undefined
  pipeConfigText(id: string): JsonText | undefined
  /** rest-api.md §2.2. */
  pump(id: string): JsonText | undefined
  /** What feeds what, what waits, and how long changes take (`FlowMap`). */
  flow(): JsonText
  /** How all pipes stand, as numbers, in slices that keep nobody waiting. */
  figures(): AsyncIterable<readonly PipeFigures[]>
  /** How long changes took to the ends of chains of pipes, since this was asked last. */
  takeLags(): readonly Lag[]
  /** rest-api.md §4.2. Codes: unknown-pipe, unsupported-operation, already-running. */
  operate(id: string, operation: string, fields: Readonly<Record<string, string>>, user?: User | null): Promise<void>
  /** Codes: unknown-pipe, unknown-webhook. */
  signalled(id: string, token: string): void
  /** rest-api.md §5.5. Codes: bad-webhook, too-many-webhooks, target-refused. */
  subscribe(subscription: Subscription): void
  systemIds(): readonly string[]
  system(id: string): JsonText | undefined
  /** Whether the system answers: `{"running": …}`, with the address or the reason. Code: unknown-system. */
  systemStatus(id: string): Promise<JsonText>
  /** Passes a request on to a microservice. Codes: unknown-system, not-a-microservice, no-containers, and those of systems. */
  forward(id: string, request: ForwardRequest, signal: AbortSignal): Promise<ForwardAnswer>
  /** Logs and reloads are of containers, and this hub runs none. Codes: unknown-system, not-a-microservice, no-containers. */
  container(id: string): never
  metadata(): JsonText

  /** rest-api.md §4.3: one text per entity, evaluated now. Codes: unknown-pipe, invalid-pipe, bad-parameter (since). */
  pipeEntities(id: string, query: PipeQuery, signal: AbortSignal): AsyncIterable<readonly string[]>
  /** rest-api.md §4.4: `{"result", "errors", "warnings", "trace"}`. Codes: unknown-pipe, bad-json, bad-entity, bad-request, forbidden. */
  preview(query: PreviewQuery, user?: User | null): Promise<JsonText>
  /** How the pipe finds what it joins, what is followed back, and where its properties come from. Codes: unknown-pipe, invalid-pipe. */
  explain(id: string): JsonText
  /**
   * rest-api.md §7: answers after the flush. Codes: unknown-pipe, not-a-receiver, bad-json, bad-entity, push-conflict,
   * pipe-unavailable, breaker-tripped, and stale-entity, whose details hold `input`, `existing` and `ancestor` as texts.
   */
  receive(id: string, body: Uint8Array, push: PushParameters): Promise<ReceiveAnswer>
  /** Whether the pipe stores a request piece by piece. Codes: as for `receive`. */
  takesLong(id: string): boolean
  /** As `receive`, for a body that does not fit into memory: what is stored of it stays, whatever comes after. */
  receiveLong(id: string, pieces: AsyncIterable<Uint8Array>, push: PushParameters): Promise<ReceiveAnswer>
  /** rest-api.md §10: what a publisher answers, in chunks. Codes: unknown-pipe, not-a-publisher, pipe-unavailable, bad-parameter (since). */
  publish(id: string, form: PublisherForm, query: PublishQuery, signal: AbortSignal): Promise<Publication>

  /** Whether the pipe publishes in this form. Codes: unknown-pipe, invalid-pipe. */
  publishes(id: string, form: PublisherForm): boolean
  /** rest-api.md §10.4: links that are valid now. */
  shareableLinks(pipe: string): readonly ShareableLink[]
  /** Codes: bad-request, too-many-links. */
  shareLink(pipe: string, link: { readonly exp?: number; readonly description?: string }): Promise<ShareableLink>
  /** False: there is no such link. */
  revokeLink(pipe: string, id: string): Promise<boolean>
  /** Whether the shareable link opens the publisher now. */
  opensPublisher(pipe: string, link: string): boolean
  /** Throws as `publish` does, without asking for anything. */
  assertPublishes(id: string, form: PublisherForm): void

  /** Consistent reads of datasets; close it soon. */
  snapshot(): Snapshot
  /** rest-api.md §2.3. */
  dataset(id: string): JsonText | undefined
  deleteDataset(id: string): Promise<boolean>
  /** Erases an entity with all its versions, here and in the graph. Gives how many there were. Codes: unknown-dataset, unknown-entity, not-erasable. */
  eraseEntity(dataset: string, id: string): Promise<number>
  /** rest-api.md §5.4: the dataset's indexes as a JSON array; undefined when there is no such dataset. */
  indexes(dataset: string): JsonText | undefined
  /** Codes: unknown-dataset, unknown-index, index-in-use (a pipe needs it). */
  deleteIndex(dataset: string, number: number): Promise<void>
  /** rest-api.md §5.1. Codes: unknown-dataset, breaker-not-tripped, breaker-open. */
  decideBreaker(dataset: string, decision: 'commit' | 'rollback', user?: User | null): Promise<void>
  /** hub.md §2.8: all or none. Codes: unknown-dataset, unknown-entity, breaker-tripped, breaker-open, wrong-kind. */
  repost(dataset: string, ids: readonly string[], user?: User | null): Promise<readonly Reposted[]>
  /** Past any pipe, for debugging; gives how many versions were appended. Codes as for `receive` and `repost`. */
  append(dataset: string, body: Uint8Array, force: boolean, form?: TextForm): Promise<number>
  /** Datasets declared by configuration as global, in order. */
  readonly notifications: Notifications
  globalDatasets(): readonly string[]
  /** The entity as stored with `_deleted`, `_updated`, `_previous`, `_ts`, `_hash`: JSON text spliced from the stored bytes. */

  /** SPARQL 1.1 query. Codes of the graph pass through. */
  sparql(request: SparqlRequest): Promise<GraphAnswer>
  graphStatus(): GraphStatus
  /** Everything committed so far is in the graph when it resolves true. */
  graphCaughtUp(timeoutMs: number): Promise<boolean>

  /**
   * rest-api.md §3.7: what the entities look like that a pipe reads or hands to its sink, as a JSON Schema with counts and
   * times, and samples for those who may see data; `{}` while nothing is known. Codes: unknown-pipe.
   */
  entityType(pipe: string, side: 'source' | 'sink', withSamples: boolean): Promise<JsonText>
  /**
   * hub.md §23.2: the `schema_definition` of a SQL sink for entities of a pipe or a dataset, or the names of their properties.
   * Codes: unknown-pipe, invalid-pipe, unknown-dataset.
   */
  schemaDefinition(
    of: { readonly pipe: string } | { readonly dataset: string },
    query: DefinitionQuery,
  ): Promise<JsonText>
  /** rest-api.md §3.7: all models as a JSON array; those without the wanted property left out. */
  models(query: ModelQuery): Promise<JsonText>
  /** Codes: unknown-model. */
  model(id: string, query: ModelQuery): Promise<JsonText>
  /** A JSON Schema. Codes: unknown-model, unknown-entity-type. */
  modelType(id: string, type: string, isEffective: boolean): Promise<Dict>
  /** SHACL shapes of a model, or of one of its types, as Turtle. Codes: unknown-model, unknown-entity-type. */
  modelShapes(id: string, type: string | null, isEffective: boolean): Promise<string>
  /** Replaces models of the same names; gives those as they are stored. Codes: model-rejected with `problems`, models-too-large. */
  uploadModels(text: string, force: boolean): Promise<JsonText>
  /** What was uploaded of it. Codes: unknown-model, model-implied. */
  deleteModel(id: string): Promise<void>
  /** The inferred shape of a dataset: folded from the log, kept up to date. */
  shape(dataset: string): Promise<DatasetShape | undefined>
  /** Next sequence for each dataset, for caches that follow growth. */
  ends(): Readonly<Record<string, number>>
  /** Newest first, the one that is running too: `_id`, `status` (running, completed, failed), `kind`, `started`, `ended`, `bytes`, `message`. */
  backups(): readonly JsonText[]
  backup(id: string): JsonText | undefined
  /** Begins a backup and answers at once. Codes: no-backup-folder, backup-running. */
  startBackup(isFull: boolean): JsonText
  backupHealth(): 'healthy' | 'unhealthy' | 'unknown'
}

/** Rules, what they found, and who is told of it. Codes: unknown-pipe, unknown-rule, bad-rule, too-many-rules, unknown-notification. */
export interface Notifications {
  /** The types of rules with the schemas of what they take, as a JSON array. */
  types(): JsonText
  /** Of a pipe alone, or all. */
  rules(pipe: string | null): readonly JsonText[]
  rule(id: string, pipe: string | null): JsonText
  addRule(text: string, pipe: string | null): Promise<JsonText>
  replaceRule(id: string, text: string, pipe: string | null): Promise<JsonText>
  removeRule(id: string, pipe: string | null): Promise<void>
  /** The newest first. */
  list(query: NotificationQuery): readonly JsonText[]
  one(id: string): JsonText
  /** What waits to be sent, and what was given up, as a JSON array. */
  deliveries(): JsonText
  figures(): NotificationFigures
}

export interface NotificationQuery {
  readonly isOngoing?: boolean
  readonly pipe?: string
  readonly limit: number
}

export interface NotificationFigures {
  readonly ongoing: number
  /** Not sent yet. */
  readonly waiting: number
  /** Messages, since it began to count. */
  readonly sent: number
  readonly givenUp: number
  /** Seconds since 1970 when it began to count. */
  readonly createdAt: number
}

/** Of a pipe's document. */
export type PipePart = 'config' | 'runtime' | 'storage' | 'graph'

export interface ModelQuery {
  /** What was uploaded and what was inferred together; otherwise what was uploaded, where that is. */
  readonly isEffective: boolean
  /** With the types themselves, and not only their names. */
  readonly isVerbose: boolean
  /** Only entity types with this property; null: all. */
  readonly withProperty: string | null
}

export interface DefinitionQuery {
  readonly sampleSize: number
  readonly keysOnly: boolean
}

export interface PipeQuery {
  readonly stage: 'source' | 'before-transforms' | 'after-transforms' | 'sink'
  readonly since?: string
  readonly limit?: number
  /** JSON unless said. */
  readonly form?: TextForm
  /** Also what transforms do that may change something elsewhere (rest-api.md §4.3). */
  readonly withSideEffects?: boolean
  readonly cause?: Cause
}

export interface ForwardRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the address of the service, encoded as it came. */
  readonly path: string
  /** Without the question mark. */
  readonly query: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface ForwardAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: AsyncIterable<Uint8Array>
}

/** Id of the request that asks, for what the log tells of it. */
export type Cause = string

export interface PreviewQuery {
  readonly pipe: string
  /** JSON text of an edited configuration; null: the pipe as it is. */
  readonly config: string | null
  /** JSON text of one entity; with `"_trace": true` the run is told step by step. */
  readonly source: string
}

export interface PushParameters {
  readonly sequenceId?: string
  readonly isFull: boolean
  readonly requestId?: string
  readonly previousRequestId?: string
  readonly isFirst: boolean
  readonly isLast: boolean
  /** Microseconds, from X-Dataset-Completeness. */
  readonly completeness?: number
  readonly cause?: Cause
  /** Of the body; JSON unless said. */
  readonly form?: TextForm
}

export interface ReceiveAnswer {
  /** With optimistic locking, the stored version of the one entity that was sent. */
  readonly updated: JsonText | null
}

/** A version that was appended again. */
export interface Reposted {
  readonly _id: string
  readonly _deleted: boolean
  readonly _updated: number
}

export interface PublishQuery {
  readonly since?: string
  readonly limit?: number
  /** `_B`. */
  readonly bound: Dict
  readonly cause?: Cause
  /** Of the form `entities`; JSON unless said. */
  readonly text?: TextForm
}

export interface Publication {
  readonly contentType: string
  readonly fileName?: string
  readonly disposition?: 'attachment' | 'inline'
  /** Headers of rest-api.md §6.2. */
  readonly headers: Readonly<Record<string, string>>
  /** Text is sent as UTF-8; in another charset it comes as bytes. */
  readonly body: AsyncIterable<string | Uint8Array>
}

export interface SparqlRequest {
  readonly query: string
  readonly accept: string
  readonly timeoutMs: number
  readonly defaultGraphs?: readonly string[]
  readonly namedGraphs?: readonly string[]
}

export interface DatasetShape {
  /** Entities seen, deleted ones left out. */
  readonly count: number
  readonly properties: readonly PropertyShape[]
}

export interface PropertyShape {
  /** Full name with namespace. */
  readonly name: string
  /** Kinds seen (model Kind), lists opened. */
  readonly kinds: readonly string[]
  /** Some entity holds a list. */
  readonly list: boolean
  /** Namespaces of the NIs seen, `ns` of `~:ns:id`. */
  readonly namespaces: readonly string[]
}
