/** A hub that lives in memory: just enough of the contract for the doors to stand in. */

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Quad } from '@rdfjs/types'
import { DataFactory } from 'n3'
import type { Doors } from '../../src/api/doors.ts'
import { NetworkPolicy, type NetworkPolicyDocument, OPEN_POLICY } from '../../src/config/network-policy.ts'
import { reference } from '../../src/dtl/reference.ts'
import { Access } from '../../src/hub/access/access.ts'
import { AuditLog } from '../../src/hub/access/audit.ts'
import { Guard } from '../../src/hub/access/guard.ts'
import type {
  DatasetShape,
  DefinitionQuery,
  Node,
  Notifications,
  PipeFigures,
  PipePart,
  PipeQuery,
  PreviewQuery,
  Publication,
  PublisherForm,
  PublishQuery,
  PushParameters,
  ReceiveAnswer,
  Runner,
  SparqlRequest,
  Tenant,
  ThreadStatus,
} from '../../src/hub/contract.ts'
import type { ConfigurationDoor, SecretsDoor } from '../../src/hub/contract-configuration.ts'
import { HubError } from '../../src/hub/errors.ts'
import { healthOf, type Reason } from '../../src/hub/health/reason.ts'
import { LogBook } from '../../src/hub/logs/book.ts'
import { fresh } from '../../src/hub/pump-state.ts'
import type { Subscription } from '../../src/hub/webhooks.ts'
import type { Snapshot } from '../../src/log/contract.ts'
import { entries, get } from '../../src/model/dict.ts'
import { type Entity, idOf, isDeleted } from '../../src/model/entity.ts'
import { encodeEntity } from '../../src/model/entity-encoder.ts'
import { createNaming, type Naming } from '../../src/model/iri.ts'
import { parseJson, writeJson } from '../../src/model/json.ts'
import { compareText, equals } from '../../src/model/order.ts'
import { kindOf, NI, type Value } from '../../src/model/value.ts'
import { silent } from '../../src/pipes/logger.ts'

interface Stored {
  readonly id: string
  readonly deleted: boolean
  readonly entity: Entity
  readonly text: string
}

class FakeDataset {
  readonly generation = `generation-${Math.random()}`
  readonly versions: Stored[] = []
  populated = true

  write(given: string): void {
    for (const value of parseJson(given) as readonly Entity[]) {
      const { id, deleted, text, hash } = encodeEntity(value)
      const previous = this.versions.findLastIndex((version) => version.id === id)
      const internal = `"_deleted":${deleted},"_updated":${this.versions.length},"_previous":${previous < 0 ? null : previous},"_ts":1700000000000000,"_hash":"${hash}"`
      const stored = `${text.slice(0, -1)},${internal}}`
      this.versions.push({ id, deleted, text: stored, entity: parseJson(stored) as Entity })
    }
  }

  latest(id: string): Stored | undefined {
    return this.versions.findLast((version) => version.id === id)
  }

  live(): Entity[] {
    const ids = [...new Set(this.versions.map(({ id }) => id))].sort(compareText)
    return ids.flatMap((id) => {
      const version = this.latest(id) as Stored
      return version.deleted ? [] : [version.entity]
    })
  }
}

export class FakeTenant implements Tenant {
  readonly name: string
  readonly base: string
  readonly datasets = new Map<string, FakeDataset>()
  readonly pipes = new Map<string, string>()
  readonly operations: (readonly [pipe: string, operation: string, fields: Readonly<Record<string, string>>])[] = []
  readonly received: (readonly [pipe: string, body: string, push: PushParameters])[] = []
  readonly asked: SparqlRequest[] = []
  readonly published: PublishQuery[] = []
  /** Of what was received and published, the ids of the requests. */
  readonly causes: (string | undefined)[] = []
  globals: string[] = []
  config = '[]'
  variables = '{}'
  started: boolean[] = []
  /** What the next call of these gives. */
  pages: AsyncIterable<readonly string[]> = (async function* () {})()
  publication: Publication = { contentType: 'application/json', headers: {}, body: (async function* () {})() }
  answer: (request: SparqlRequest) => { body: string; cut?: boolean } = () => ({ body: '{}' })
  lastSignal: AbortSignal | undefined

  constructor(name: string) {
    this.name = name
    this.base = name === 'default' ? 'http://hub.example' : `http://hub.example/t/${name}`
  }

  write(dataset: string, entities: string): void {
    const known = this.datasets.get(dataset) ?? new FakeDataset()
    this.datasets.set(dataset, known)
    known.write(entities)
  }

  addPipe(id: string, sinkDataset: string | null = null): void {
    this.pipes.set(
      id,
      `{"_id":"${id}","type":"pipe","big":12345678901234567890${sinkDataset ? `,"sink":{"dataset":"${sinkDataset}"}` : ''}}`,
    )
  }

  readonly guard = new Guard({
    rules: () => [],
    creator: () => null,
    pipeOf: () => null,
    components: (kind) => (kind === 'dataset' ? this.datasets.keys() : kind === 'pipe' ? this.pipes.keys() : []),
  })
  permissions = () => '[]'
  async replacePermissions() {}

  naming(): Naming {
    return createNaming({ base: this.base, namespaces: { ex: 'http://example.com/' } })
  }

  // What is done with them is tried with a real tenant.
  configuration = { text: () => this.config } as ConfigurationDoor
  secrets = {} as SecretsDoor
  mask = (text: string) => text

  configText = () => this.config
  async replaceConfig(text: string, force: boolean) {
    const problem = {
      level: 'error' as const,
      message: "Unknown type 'pip'.",
      hint: "Did you mean 'pipe'?",
      component: 'a',
      pointer: '/source/type',
    }
    if (text.includes('"broken"') && !force)
      throw new HubError('config-rejected', 'It has errors.', { problems: [problem] })
    this.config = text
    return text.includes('"broken"') ? [problem] : []
  }
  problems = () => []
  env = () => this.variables
  async replaceEnv(text: string) {
    this.variables = text
  }

  componentText = (id: string) => this.pipes.get(id) ?? (id === 'crm' ? '{"_id":"crm","type":"system:url"}' : undefined)
  async putComponents(array: string, force: boolean) {
    for (const one of parseJson(array, { transit: false }) as readonly Entity[]) {
      await this.replaceConfig(writeJson(one), force)
      this.pipes.set(idOf(one), writeJson(one, { transit: false }))
    }
    return []
  }
  async removeComponent(id: string) {
    this.pipes.delete(id)
  }
  readonly notes = new Map<string, string>()
  note = (of: string, id: string) => this.notes.get(`${of} ${id}`) ?? '{}'
  async saveNote(of: string, id: string, text: string) {
    this.notes.set(`${of} ${id}`, text)
  }
  resets = 0
  async resetPipes() {
    this.resets++
  }
  readonly startedAt = 1_700_000_000_000
  runner: Runner = {
    start: () => ({ token: 't', ended: Promise.resolve({ status: 'success', reason: null, statistics: '' }) }),
    status: () => 'not-running',
    lines: () => [],
    stop: async () => true,
  }
  isInternal = (id: string) => id.startsWith('internal-')
  async systemStatus(id: string) {
    if (id !== 'crm') throw new HubError('unknown-system', `There is no system '${id}'.`)
    return '{"running":true}'
  }
  async forward(): Promise<never> {
    throw new HubError('no-containers', 'It does not run.')
  }
  container(): never {
    throw new HubError('no-containers', 'It does not run.')
  }

  pipeIds = () => [...this.pipes.keys()]
  pipe(id: string, parts: readonly PipePart[] = ['config', 'runtime', 'storage']) {
    const config = this.pipes.get(id)
    const texts: Readonly<Record<PipePart, string>> = {
      config: `{"original":${config},"effective":${config}}`,
      runtime: '{"is-valid-config":true,"dependencies":["crm"]}',
      storage: '{"count-index-exists":7}',
      graph: '{}',
    }
    return config && `{"_id":"${id}"${parts.map((part) => `,"${part}":${texts[part]}`).join('')}}`
  }
  pipeConfigText = (id: string) => this.pipes.get(id)
  pump(id: string) {
    return this.pipes.has(id)
      ? `{"_id":"${id}","config":{"mode":"scheduled"},"runtime":{"is-disabled":false,"is-valid-config":true,"last-report":{"outcome":"completed","seconds":1.5,"tracking":{"changes":1,"rows":5,"found":4,"again":2}},"retries":2,"dead-letters":{"count-index-exists":1},"counters":{"created":9,"started":4,"completed":3,"failed":1,"interrupted":0,"changes":8,"seen":9,"compacted":5,"deletionTracked":6,"lastCompleted":77},"queues":{"source":3,"dependencies":{"b":2,"c":4}}}}`
      : undefined
  }
  flow = () =>
    '{"pipes":[{"id":"crm","valid":true,"queue":{"source":{"a":3},"hops":{}},"waiting_seconds":2.5}],"datasets":[],"systems":[],"edges":[],"cycles":[]}'
  lags: { readonly end: { readonly kind: 'dataset' | 'pipe'; readonly id: string }; readonly seconds: number }[] = []
  takeLags = () => this.lags.splice(0)
  async operate(id: string, operation: string, fields: Readonly<Record<string, string>>) {
    if (operation === 'start-twice') throw new HubError('already-running', 'It runs already.')
    if (operation === 'fly') throw new HubError('unsupported-operation', 'No such operation.')
    this.operations.push([id, operation, fields])
  }
  readonly signals: (readonly [pipe: string, token: string])[] = []
  signalled(id: string, token: string) {
    if (token !== 'known') throw new HubError('unknown-webhook', 'Nobody asked for that.')
    this.signals.push([id, token])
  }
  readonly subscriptions: Subscription[] = []
  subscribe(subscription: Subscription) {
    if (!subscription.url.startsWith('http')) throw new HubError('bad-webhook', 'It is no address.')
    this.subscriptions.push(subscription)
  }
  systemIds = () => ['crm']
  system = (id: string) => (id === 'crm' ? '{"_id":"crm"}' : undefined)
  metadata = () => '{"_id":"node","config":{"original":{},"effective":{"global_defaults":{}}}}'

  pipeEntities(_id: string, query: PipeQuery, signal: AbortSignal) {
    this.lastSignal = signal
    this.lastQuery = query
    return this.pages
  }
  lastQuery: PipeQuery | undefined
  readonly previewed: PreviewQuery[] = []
  async preview(query: PreviewQuery) {
    this.previewed.push(query)
    return '{"result":[],"errors":[],"warnings":[],"trace":[]}'
  }
  explain = (id: string) => {
    if (!this.pipes.has(id)) throw new HubError('unknown-pipe', `There is no pipe '${id}'.`)
    return JSON.stringify({ pipe: id })
  }
  async receive(id: string, body: Uint8Array, push: PushParameters) {
    if (!this.pipes.has(id)) throw new HubError('unknown-pipe', `There is no pipe '${id}'.`)
    const text = Buffer.from(body).toString()
    parseJson(text)
    if (push.previousRequestId === 'wrong') throw new HubError('push-conflict', 'It does not follow.')
    const { cause, ...rest } = push
    this.causes.push(cause)
    this.received.push([id, text, rest])
    return this.receiveAnswer()
  }
  receiveAnswer: () => ReceiveAnswer = () => ({ updated: null })
  publishes = (id: string) => this.pipes.has(id)
  shareableLinks = () => []
  async shareLink(): Promise<never> {
    throw new HubError('bad-request', 'There are no links here.')
  }
  revokeLink = async () => false
  opensPublisher = () => false
  takesLong = () => true
  async receiveLong(id: string, pieces: AsyncIterable<Uint8Array>, push: PushParameters) {
    const all: Uint8Array[] = []
    for await (const piece of pieces) all.push(piece)
    return this.receive(id, Buffer.concat(all), push)
  }
  readonly decisions: (readonly [dataset: string, decision: string])[] = []
  async decideBreaker(dataset: string, decision: 'commit' | 'rollback') {
    if (!this.datasets.has(dataset)) throw new HubError('breaker-not-tripped', 'It has not tripped.')
    this.decisions.push([dataset, decision])
  }
  async repost(dataset: string, ids: readonly string[]) {
    if (!this.datasets.has(dataset)) throw new HubError('unknown-dataset', `There is no dataset '${dataset}'.`)
    return ids.map((_id, place) => ({ _id, _deleted: false, _updated: place }))
  }
  readonly appended: (readonly [dataset: string, body: string, force: boolean])[] = []
  async append(dataset: string, body: Uint8Array, force: boolean) {
    this.appended.push([dataset, Buffer.from(body).toString(), force])
    return 1
  }
  assertPublishes(id: string, form: PublisherForm) {
    if (!this.pipes.has(id)) throw new HubError('unknown-pipe', `There is no pipe '${id}'.`)
    if (form !== 'entities' && id === 'json-only') throw new HubError('not-a-publisher', 'It does not publish that.')
  }
  async publish(id: string, form: PublisherForm, query: PublishQuery) {
    this.assertPublishes(id, form)
    const { cause, ...rest } = query
    this.causes.push(cause)
    this.published.push(rest)
    return this.publication
  }

  snapshot(): Snapshot {
    const view = (id: string) => {
      const dataset = this.datasets.get(id)
      if (dataset === undefined) return undefined
      const live = dataset.live().length
      const ids = new Set(dataset.versions.map((version) => version.id)).size
      return {
        document: {
          id,
          number: 1,
          generation: dataset.generation,
          populated: dataset.populated,
          indexSet: 1,
          completeness: null,
          upstream: {},
          indexes: [{ number: 1, expression: 'x', fingerprint: 'f', state: 'ready', filled: 0, until: 0, indexed: 0 }],
        },
        counts: () => ({
          end: dataset.versions.length,
          existing: live,
          deleted: ids - live,
          versions: dataset.versions.length,
        }),
      }
    }
    return {
      datasets: () => [...this.datasets.keys()].map((id) => ({ id })),
      dataset: view,
      close() {},
    } as unknown as Snapshot
  }
  dataset = (id: string) =>
    this.datasets.has(id) ? JSON.stringify({ _id: id, runtime: { populated: true } }) : undefined
  deleteDataset = async (id: string) => this.datasets.delete(id)
  eraseEntity = async (dataset: string, id: string) => {
    const known = this.datasets.get(dataset)
    if (known === undefined) throw new HubError('unknown-dataset', `There is no dataset '${dataset}'.`)
    const versions = known.versions.filter((one) => one.id === id).length
    if (versions === 0) throw new HubError('unknown-entity', `There is no entity '${id}'.`)
    return versions
  }
  indexes = (dataset: string) =>
    this.datasets.has(dataset) ? `[{"_id":"${dataset}:1","expression":"_S.x"}]` : undefined
  async deleteIndex(dataset: string, number: number) {
    if (!this.datasets.has(dataset)) throw new HubError('unknown-dataset', 'No such dataset.')
    if (number === 1) throw new HubError('index-in-use', 'It is in use.')
    if (number !== 2) throw new HubError('unknown-index', 'No such index.')
  }
  globalDatasets = () => this.globals
  readonly notifications: Notifications = {
    types: () => '[]',
    rules: () => [],
    rule: (id) => {
      throw new HubError('unknown-rule', `There is no rule '${id}'.`)
    },
    addRule: async (text) => text,
    replaceRule: async (_id, text) => text,
    removeRule: async () => {},
    list: () => [],
    one: (id) => {
      throw new HubError('unknown-notification', `There is no notification '${id}'.`)
    },
    deliveries: () => '[]',
    figures: () => ({ ongoing: 1, waiting: 2, sent: 3, givenUp: 0, createdAt: 9 }),
  }
  /** What the pipes give when a monitor asks; those that are not here are as {@link figuresOf} says. */
  readonly more: Partial<PipeFigures>[] = []
  async *figures() {
    yield [...[...this.pipes.keys()].map((id) => figuresOf({ id })), ...this.more.map(figuresOf)]
  }

  async sparql(request: SparqlRequest) {
    this.asked.push(request)
    const { body, cut = false } = this.answer(request)
    return { body, contentType: request.accept, cut, rows: 2 }
  }
  graphStatus = () => ({ state: 'ready' as const, quads: 42, budget: 100, lag: 5, leftOut: [], offsets: {} })
  graphCaughtUp = async () => true

  async entityType(id: string) {
    if (!this.pipeIds().includes(id)) throw new HubError('unknown-pipe', `There is no pipe '${id}'.`)
    return '{}'
  }
  async schemaDefinition(_of: object, { keysOnly }: DefinitionQuery) {
    return keysOnly ? '["_id"]' : '[]'
  }
  models = async () => '[]'
  model = async (id: string): Promise<never> => {
    throw new HubError('unknown-model', `There is no model '${id}'.`)
  }
  modelType = this.model
  modelShapes = this.model
  uploadModels = async (text: string) => text
  deleteModel = this.model
  async shape(id: string): Promise<DatasetShape | undefined> {
    const dataset = this.datasets.get(id)
    if (dataset === undefined) return undefined
    const seen = new Map<string, { kinds: Set<string>; namespaces: Set<string>; list: boolean }>()
    for (const entity of dataset.live()) {
      for (const [name, value] of entries(entity)) {
        if (name.startsWith('_')) continue
        const property = seen.get(name) ?? { kinds: new Set(), namespaces: new Set(), list: false }
        seen.set(name, property)
        if (Array.isArray(value)) property.list = true
        for (const one of elementsOf(value)) {
          if (one === null) continue
          property.kinds.add(kindOf(one))
          if (one instanceof NI) property.namespaces.add(one.text.slice(0, one.text.lastIndexOf(':')))
        }
      }
    }
    const properties = [...seen].map(([name, { kinds, namespaces, list }]) => ({
      name,
      kinds: [...kinds],
      namespaces: [...namespaces],
      list,
    }))
    return { count: dataset.live().length, properties }
  }
  ends = () => Object.fromEntries([...this.datasets].map(([id, { versions }]) => [id, versions.length]))
  backups = () => this.started.map((isFull, i) => JSON.stringify({ _id: String(i), status: 'running', isFull }))
  backup = (id: string) => this.backups()[Number(id)]
  backupHealth = () => 'unknown' as const
  startBackup(isFull: boolean): string {
    this.started.push(isFull)
    return this.backups().at(-1) as string
  }
}

/** A pipe that is well, and ran. */
export function figuresOf(some: Partial<PipeFigures>): PipeFigures {
  const state = {
    ...fresh(),
    last: { outcome: 'completed', seconds: 1.5, tracking: { changes: 1, rows: 5, found: 4, again: 2 } },
  }
  const counters = {
    created: 9,
    started: 4,
    completed: 3,
    failed: 1,
    interrupted: 0,
    changes: 8,
    seen: 9,
    compacted: 5,
    deletionTracked: 6,
    lastCompleted: 77,
  }
  return {
    id: 'a',
    configGroup: 'default',
    isLeaf: true,
    isEnabled: true,
    isValid: true,
    isTripped: false,
    bytes: 1024,
    sourceQueue: 3,
    trackingQueue: 6,
    sink: { exists: 7, deleted: 1, logExists: 8, logDeleted: 2 },
    deadLetters: { exists: 1, deleted: 0, logExists: 1, logDeleted: 0 },
    outOfSync: 0,
    state: state as never,
    waitingSeconds: 2.5,
    pump: { state: state as never, counters, retryable: 2, nextRunAt: 5_000 },
    ...some,
  }
}

export class FakeNode implements Node {
  readonly id = 'node-1'
  readonly version = '0.0.1'
  readonly startedAt = 1_700_000_000_000
  threads = (): readonly ThreadStatus[] => [
    { number: 0, isStarted: true, busy: 0.25, runs: [], restarts: 0, lastLoss: null },
  ]
  developer = true
  readonly logs = new LogBook({ level: 'error', write: () => {} })
  readonly reasons: Reason[] = []
  readonly restarts = 4
  disks = () => [{ what: 'data' as const, path: '/data', freeBytes: 10, totalBytes: 100 }]
  health = async (tenant: string | null) =>
    healthOf(this.reasons.filter((reason) => tenant === null || (reason.tenant ?? tenant) === tenant))
  readonly access = new Access(mkdtempSync(join(tmpdir(), 'samtale-access-')), 'node-1')
  readonly audit = new AuditLog({ now: Date.now, logger: silent, write: async () => {} })
  mask = (text: string) => text
  readonly all = new Map([['default', new FakeTenant('default')]])

  get main(): FakeTenant {
    return this.all.get('default') as FakeTenant
  }
  tenants = () => [...this.all.values()]
  language = () => JSON.stringify(reference())
  prototypes = (of: string, system = '') =>
    JSON.stringify([{ _id: of, of, type: of, description: '', config: { system } }])
  policy = new NetworkPolicy(OPEN_POLICY)
  network = () => this.policy
  replaceNetwork(document: NetworkPolicyDocument) {
    this.policy = new NetworkPolicy(document)
  }
  tenant = (name: string) => this.all.get(name)
  async createTenant(name: string) {
    if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new HubError('bad-tenant-name', `'${name}' is no name of a tenant.`)
    if (this.all.has(name)) throw new HubError('tenant-exists', `There is a tenant '${name}' already.`)
    const tenant = new FakeTenant(name)
    this.all.set(name, tenant)
    return tenant
  }
  async deleteTenant(name: string) {
    if (name === 'default') throw new HubError('tenant-protected', 'The default tenant stays.')
    if (!this.all.delete(name)) throw new HubError('unknown-tenant', `There is no tenant '${name}'.`)
  }
  readonly restarted: (readonly string[])[] = []
  async restart(names: readonly string[]) {
    this.restarted.push(names)
  }
  async reset(names: readonly string[]) {
    for (const name of names) this.all.set(name, new FakeTenant(name))
  }
  async close() {}
}

const elementsOf = (value: Value): readonly Value[] => (Array.isArray(value) ? (value as readonly Value[]) : [value])

const known = (tenant: Tenant, dataset: string): FakeDataset => {
  const found = (tenant as FakeTenant).datasets.get(dataset)
  if (found === undefined) throw new HubError('unknown-dataset', `There is no dataset '${dataset}'.`)
  return found
}

/** What the hub hands to the doors, over the fake's memory. `lookups` counts what was asked. */
type FakeDoors = Doors & { lookups: number; readonly subsets: (string | undefined)[] }

export function fakeDoors(): FakeDoors {
  const doors: FakeDoors = {
    lookups: 0,
    subsets: [],
    async feedSubset() {},
    async *datasetEntities(tenant, dataset, { since, limit, history, deleted, reverse, subset }) {
      this.subsets.push(subset)
      const { versions } = known(tenant, dataset)
      let texts = versions.flatMap((version, place) => {
        if (since !== undefined && (reverse ? place >= since : place <= since)) return []
        if (!history && known(tenant, dataset).latest(version.id) !== version) return []
        return history || deleted || !version.deleted ? [version.text] : []
      })
      if (reverse) texts = texts.reverse()
      yield `[${texts.slice(0, limit).join(',')}`
      if (dataset === 'breaks') throw new HubError('dataset-gone', 'It went away.')
      yield ']'
    },
    datasetEntity(tenant, dataset, id, { offset, subset } = {}) {
      this.subsets.push(subset)
      const { versions } = known(tenant, dataset)
      const version = offset === undefined ? known(tenant, dataset).latest(id) : versions[offset]
      return version?.id === id ? version.text : undefined
    },
    datasetHeaders(tenant, dataset) {
      const { populated, generation, versions } = known(tenant, dataset)
      return {
        'X-Dataset-Populated': String(populated),
        'X-Dataset-Generation': generation,
        ...(versions.length === 0 ? {} : { 'X-Dataset-Max-Updated': String(versions.length - 1) }),
      }
    },
    async *datasetExport(tenant, dataset): AsyncGenerator<Quad> {
      const { namedNode, literal, quad } = DataFactory
      const naming = tenant.naming()
      for (const id of dataset === null ? (tenant as FakeTenant).datasets.keys() : [dataset]) {
        for (const entity of known(tenant, id).live()) {
          const subject = namedNode(naming.entityIri(idOf(entity)))
          const graph = namedNode(naming.graphIri(id, idOf(entity)))
          yield quad(
            subject,
            namedNode('http://example.com/json'),
            literal(writeJson(entity)),
            graph,
          ) as unknown as Quad
        }
      }
    },
    scan(tenant, dataset, { after, limit }) {
      const live = known(tenant, dataset).live()
      return live.filter((entity) => after === undefined || compareText(idOf(entity), after) > 0).slice(0, limit)
    },
    entity(tenant, dataset, id) {
      const version = known(tenant, dataset).latest(id)
      return version === undefined || isDeleted(version.entity) ? undefined : version.entity
    },
    async lookup(tenant, dataset, property, value) {
      doors.lookups++
      return known(tenant, dataset)
        .live()
        .filter((entity) => elementsOf(get(entity, property) ?? null).some((one) => equals(one, value)))
    },
  }
  return doors
}
