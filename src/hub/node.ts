/** A running hub: its tenants, the pump threads they share, and what outlives a restart. */

import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, hostname } from 'node:os'
import { join } from 'node:path'
import type { NetworkPolicy, NetworkPolicyDocument } from '../config/network-policy.ts'
import { reference } from '../dtl/reference.ts'
import type { Logger } from '../pipes/logger.ts'
import type { TargetRules } from '../pipes/systems/targets.ts'
import { Access, type AccessSettings } from './access/access.ts'
import { AuditLog } from './access/audit.ts'
import { AUDIT_DATASET } from './access/guard.ts'
import { type BackupSettings, Backups } from './backups/backups.ts'
import type * as hub from './contract.ts'
import { HubError } from './errors.ts'
import type { Disk, Facts } from './health/assess.ts'
import { diskOf } from './health/disk.ts'
import type { Health, Reason } from './health/reason.ts'
import { HealthWatch } from './health/watch.ts'
import { bookOver, type LogBook } from './logs/book.ts'
import { StoredNetworkPolicy } from './network.ts'
import { PumpPool } from './pool/pool.ts'
import { prototypesWith, systemPrototypes } from './prototypes.ts'
import { givenKey, type MasterKeys, ownKey } from './secrets/keys.ts'
import type { MasterKey } from './secrets/master-key.ts'
import type { TaskManager } from './task-manager.ts'
import { HubTenant } from './tenant.ts'

export interface NodeOptions {
  /** Folder of all data; made when it is not there. */
  readonly data: string
  /** IRI base; stored at first start and then fixed. */
  readonly base?: string
  readonly developer: boolean
  /** Holds pumps back, whatever the configuration says. */
  readonly tasks?: TaskManager
  readonly logger: Logger
  /** Where all of the hub writes, and what is kept of it; otherwise one over the logger. */
  readonly logs?: LogBook
  readonly version: string
  /** Quads at most in each tenant's graph. */
  readonly graphBudget?: number
  readonly withGraph?: boolean
  /** Who may come in: goes before what is stored. */
  readonly network?: Partial<NetworkPolicyDocument>
  /** `inner`: loopback and private addresses are open to the tenant `default` (design: security); yes unless said. */
  readonly targets?: Partial<TargetRules>
  /** Backups are made by the clock, and on demand; without it neither. */
  readonly backup?: BackupSettings
  /** Wraps the keys of secrets; otherwise a key of the hub's own does, beside its data. */
  readonly masterKey?: MasterKey
  /** Threads that run pipes, at most; otherwise as many as there are cores, and at least two. */
  readonly threads?: number
  /** How long a run may hold its thread with one batch. */
  readonly patienceMs?: number
  /** Whose tokens count. */
  readonly access?: AccessSettings
  /** Called when a thread the hub cannot do without has ended. */
  readonly onFatal: (error: Error) => void
}

export const DEFAULT_BASE = 'http://127.0.0.1:9042'
const GRAPH_BUDGET = 10_000_000
const LEAST_THREADS = 2
const TENANT_NAME = /^[a-z][a-z0-9-]{0,62}$/

/** What is written beside the tenants' folders at first start. */
interface Identity {
  readonly id: string
  readonly base: string
}

export class HubNode implements hub.Node {
  readonly id: string
  readonly version: string
  readonly base: string
  startedAt = Date.now()
  readonly developer: boolean
  readonly logs: LogBook
  readonly access: Access
  readonly audit: AuditLog
  readonly #options: NodeOptions
  readonly #pool: PumpPool
  readonly #tenants = new Map<string, HubTenant>()
  readonly #backups: Backups
  readonly #network: StoredNetworkPolicy
  readonly #health: HealthWatch
  /** Tenants whose data could not be opened, and why. */
  readonly #unopened = new Map<string, string>()
  readonly #keys: MasterKeys
  #address: string | null = null
  /** Tenants that are being restarted. */
  readonly #away = new Set<string>()
  #lastRestart: Promise<void> = Promise.resolve()
  #isStarted = false
  #restarts = 0

  private constructor(options: NodeOptions, identity: Identity) {
    this.#keys = options.masterKey === undefined ? ownKey(options.data) : givenKey(options.masterKey)
    this.id = identity.id
    this.base = identity.base
    this.version = options.version
    this.developer = options.developer
    this.#options = options
    this.#network = new StoredNetworkPolicy(join(options.data, 'network.json'), options.network)
    this.logs = options.logs ?? bookOver(options.logger)
    this.access = new Access(options.data, identity.id, {
      warn: (message) => options.logger.warn(message),
      ...options.access,
    })
    this.audit = new AuditLog({
      now: Date.now,
      logger: options.logger,
      // Of a tenant that is gone the node's own tells.
      write: async (tenant, entities) => {
        const at = this.#tenants.get(tenant) ?? this.#tenants.get('default')
        await at?.write(AUDIT_DATASET, entities)
      },
    })
    this.logs.maskWith((text) => this.mask(text))
    this.#backups = new Backups(
      options.backup ?? null,
      identity,
      () => this.tenants().map((tenant) => tenant.backupSubject()),
      this.logs.logger('hub'),
    )
    this.#health = new HealthWatch({
      now: () => performance.now(),
      look: () => this.#facts(),
      changed: (reason, isThere) => this.#tellHealth(reason, isThere),
    })
    const { threads = Math.max(LEAST_THREADS, availableParallelism()), patienceMs, onFatal } = options
    this.#pool = new PumpPool({
      threads,
      ...(patienceMs === undefined ? {} : { patienceMs }),
      logger: this.logs.logger('pipes'),
      hear: ({ tenant, pipe, read, isRescan }) => this.#tenants.get(tenant)?.progress(pipe, read, isRescan),
      onFatal,
    })
  }

  /** Opens the data folder with all its tenants. Code `data-in-use` when another hub has it. */
  static async open(options: NodeOptions): Promise<HubNode> {
    mkdirSync(join(options.data, 'tenants'), { recursive: true })
    const node = new HubNode(options, identityOf(options))
    try {
      const names = readdirSync(join(options.data, 'tenants')).filter((name) => TENANT_NAME.test(name))
      for (const name of new Set(['default', ...names])) await node.#openFound(name)
      node.#health.start()
      return node
    } catch (error) {
      await node.close()
      throw (error as { code?: unknown }).code === 'data-in-use' ? inUse(options.data, error) : error
    }
  }

  prototypes(of: 'system' | 'source' | 'sink', system = ''): string {
    return JSON.stringify(of === 'system' ? systemPrototypes() : prototypesWith(system, of))
  }

  language(): string {
    return JSON.stringify(reference())
  }

  threads(): readonly hub.ThreadStatus[] {
    return this.#pool.status()
  }

  network(): NetworkPolicy {
    return this.#network.current
  }

  replaceNetwork(document: NetworkPolicyDocument): void {
    this.#network.replace(document)
  }

  /**
   * Loopback and private addresses are open to the default tenant of a hub that nobody reaches over a network. Behind a proxy
   * configuration may come from anywhere; it is looked at anew with each deployment.
   */
  #targetsOf(tenant: string): TargetRules {
    const { inner = true, allowed = [] } = this.#options.targets ?? {}
    return { inner: inner && tenant === 'default' && this.network().proxies.length === 0, allowed }
  }

  health(tenant: string | null): Promise<Health> {
    return this.#health.health(tenant)
  }

  disks(): readonly Disk[] {
    return this.#health.last?.disks ?? []
  }

  get restarts(): number {
    return this.#restarts
  }

  /** The text without the secrets of any tenant. */
  mask(text: string): string {
    return this.tenants().reduce((hidden, tenant) => tenant.mask(hidden), text)
  }

  tenants(): readonly HubTenant[] {
    return [...this.#tenants].flatMap(([name, tenant]) => (this.#away.has(name) ? [] : [tenant]))
  }

  tenant(name: string): HubTenant | undefined {
    if (this.#away.has(name)) {
      throw new HubError('tenant-restarting', `The tenant '${name}' is being restarted.`, { hint: 'Ask again soon.' })
    }
    return this.#tenants.get(name)
  }

  async createTenant(name: string): Promise<HubTenant> {
    if (!TENANT_NAME.test(name)) {
      throw new HubError('bad-tenant-name', `'${name}' cannot be the name of a tenant.`, {
        hint: 'Use 1 to 63 of a-z, 0-9 and -, starting with a letter.',
      })
    }
    if (this.#tenants.has(name)) throw new HubError('tenant-exists', `The tenant '${name}' exists already.`)
    const tenant = await this.#openTenant(name)
    this.#unopened.delete(name)
    tenant.startPumps()
    return tenant
  }

  async deleteTenant(name: string): Promise<void> {
    const tenant = this.#tenants.get(name)
    if (tenant === undefined) throw new HubError('unknown-tenant', `There is no tenant '${name}'.`)
    if (name === 'default') throw new HubError('tenant-protected', "The tenant 'default' cannot be deleted.")
    this.#tenants.delete(name)
    const had = tenant.size()
    await tenant.close()
    rmSync(this.#folder(name), { recursive: true, force: true })
    await this.#tenants.get('default')?.recordErased(name, had)
  }

  restart(names: readonly string[]): Promise<void> {
    return this.#reopen(names, () => {})
  }

  reset(names: readonly string[]): Promise<void> {
    return this.#reopen(names, (name) => eraseLog(this.#folder(name)))
  }

  /** One restart after the other; what the doors told somebody is stored is on disk, so nothing of it is lost. */
  #reopen(names: readonly string[], between: (name: string) => void): Promise<void> {
    for (const name of names) if (this.#tenants.has(name)) this.#away.add(name)
    const next = this.#lastRestart.then(async () => {
      for (const name of names) await this.#reopenOne(name, between)
      // Clients wait for it to change, also after two restarts within a millisecond.
      this.startedAt = Math.max(this.startedAt + 1, Date.now())
    })
    this.#lastRestart = next.catch(() => {})
    return next
  }

  async #reopenOne(name: string, between: (name: string) => void): Promise<void> {
    const former = this.#tenants.get(name)
    if (former === undefined) throw new HubError('unknown-tenant', `There is no tenant '${name}'.`)
    this.#away.add(name)
    try {
      await former.close()
      between(name)
      const tenant = await this.#openTenant(name)
      this.#away.delete(name)
      if (this.#isStarted) tenant.startPumps()
      this.#options.logger.info(`The tenant '${name}' was restarted.`, { tenant: name })
    } catch (error) {
      // It is neither here nor there: only a new process can open it.
      this.#options.onFatal(error as Error)
      throw error
    }
  }

  /**
   * Where its doors are open: other hubs are told so, that they may call. A base that somebody chose goes before it, since
   * that is where the hub is known.
   */
  listensAt(url: string): void {
    this.#address = this.base === DEFAULT_BASE ? url.replace(/\/+$/, '') : this.base
  }

  #addressOf(tenant: string): string | null {
    if (this.#address === null) return null
    return tenant === 'default' ? this.#address : `${this.#address}/t/${tenant}`
  }

  startPumps(): void {
    this.#isStarted = true
    for (const tenant of this.#tenants.values()) tenant.startPumps()
    void this.#countStart()
    this.#backups.start()
  }

  /** Pumps end between two batches; then logs and threads are closed. */
  async close(): Promise<void> {
    await this.#lastRestart
    await this.audit.close()
    this.#pool.beginClosing()
    this.#health.close()
    await this.#backups.close()
    await Promise.all([...this.#tenants.values()].map((tenant) => tenant.close()))
    this.#tenants.clear()
    await this.#pool.close()
  }

  /** A start of this version after another. */
  async #countStart(): Promise<void> {
    const restarts = await this.tenant('default')
      ?.noteStart(this.version)
      .catch(() => 0)
    this.#restarts = restarts ?? 0
  }

  /** One tenant whose data is broken does not keep the others from running; without the default one there is no hub. */
  async #openFound(name: string): Promise<void> {
    try {
      await this.#openTenant(name)
    } catch (error) {
      if (name === 'default') throw error
      const { message, code } = error as HubError
      this.#unopened.set(name, message)
      this.logs.logger('hub').error(`The tenant '${name}' could not be opened: ${message}`, { tenant: name, code })
    }
  }

  async #facts(): Promise<Facts> {
    const { folder } = this.#backups
    const disks = await Promise.all([
      diskOf('data', this.#options.data),
      ...(folder === null ? [] : [diskOf('backups', folder)]),
    ])
    return {
      at: performance.now(),
      disks: disks.flatMap((disk) => disk ?? []),
      tenants: this.tenants().map((tenant) => tenant.facts()),
      unopened: [...this.#unopened].map(([tenant, message]) => ({ tenant, message })),
      lostThreads: this.#pool.status().reduce((sum, { restarts }) => sum + restarts, 0),
    }
  }

  #tellHealth({ code, message, hint, tenant, severity }: Reason, isThere: boolean): void {
    const logger = this.logs.logger('hub')
    const details = { code, severity, ...(tenant === null ? {} : { tenant }) }
    // A graph that is loaded when the hub starts is no news.
    const level = severity !== 'not-ready' || code !== 'graph-not-ready' ? 'warn' : 'info'
    if (isThere) logger[level](message, { ...details, hint })
    else logger.info(`No longer: ${message}`, details)
  }

  async #openTenant(name: string): Promise<HubTenant> {
    finishErasing(this.#folder(name))
    const tenant = await HubTenant.open({
      name,
      base: name === 'default' ? this.base : `${this.base}/t/${name}`,
      folder: this.#folder(name),
      address: () => this.#addressOf(name),
      targets: () => this.#targetsOf(name),
      ...(this.#options.tasks === undefined ? {} : { tasks: this.#options.tasks }),
      access: this.access,
      pool: this.#pool,
      keys: this.#keys,
      logger: this.logs.logger('hub'),
      runLogger: this.logs.logger('pipes'),
      noteLogger: this.logs.logger('notifications'),
      surroundings: {
        disks: () => this.disks(),
        reasons: () => this.#health.reasons.filter(({ tenant }) => (tenant ?? name) === name),
      },
      graphBudget: this.#options.graphBudget ?? GRAPH_BUDGET,
      backups: this.#backups,
      infersTypes: !this.developer,
      version: this.version,
      withGraph: this.#options.withGraph ?? true,
      onFatal: this.#options.onFatal,
    })
    this.#tenants.set(name, tenant)
    return tenant
  }

  #folder(name: string): string {
    return join(this.#options.data, 'tenants', name)
  }
}

const ERASED = 'log.erased'

/** All at once, however much it is: what is left over when the process ends here goes at the next start. */
function eraseLog(folder: string): void {
  renameSync(join(folder, 'log'), join(folder, ERASED))
  finishErasing(folder)
}

const finishErasing = (folder: string): void => rmSync(join(folder, ERASED), { recursive: true, force: true })

/** Whoever started the hub knows the folder it named, not the one of a tenant's log below it. */
const inUse = (data: string, cause: unknown): HubError =>
  new HubError('data-in-use', `The data folder ${data} is in use by another hub${holderOf(cause)}.`, {
    hint: 'End the other process, or give this one another folder with --data.',
    details: { path: data },
    cause,
  })

function holderOf(cause: unknown): string {
  const { details } = cause as { readonly details?: { readonly pid?: number; readonly host?: string } }
  if (details?.pid === undefined) return ''
  return `: process ${details.pid}${details.host === undefined || details.host === hostname() ? '' : ` on ${details.host}`}`
}

function storedIdentity(path: string): Identity {
  try {
    const { id, base } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Identity>
    if (typeof id === 'string' && typeof base === 'string') return { id, base }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new HubError('bad-data', `${path} is not what the hub wrote there.`, {
    hint: 'Restore it from a backup, or write {"id": …, "base": …} into it as it was: all identifiers begin with the base.',
  })
}

function isBase(text: string): boolean {
  if (!URL.canParse(text)) return false
  return /^https?:$/.test(new URL(text).protocol) && !/[\s<>"{}|\\^`?#]/.test(text)
}

/** The base is part of every identifier handed out, so it is fixed by the first start (design: entities). */
function identityOf({ data, base }: NodeOptions): Identity {
  if (base !== undefined && !isBase(base)) {
    throw new HubError('bad-base', `'${base}' cannot be the base of identifiers.`, {
      hint: 'Give an http or https address without query and fragment, such as https://hub.example.org.',
    })
  }
  const path = join(data, 'node.json')
  if (!existsSync(path)) {
    const identity = { id: randomUUID(), base: (base ?? DEFAULT_BASE).replace(/\/+$/, '') }
    // Whole or not at all, whenever the process ends.
    writeFileSync(`${path}.part`, `${JSON.stringify(identity, null, 2)}\n`, { flush: true })
    renameSync(`${path}.part`, path)
    return identity
  }
  const identity = storedIdentity(path)
  if (base !== undefined && base.replace(/\/+$/, '') !== identity.base) {
    throw new HubError(
      'base-is-fixed',
      `The data in ${data} has the base ${identity.base}; it cannot become ${base}.`,
      {
        hint: 'Leave --base out, or give --data a new folder.',
      },
    )
  }
  return identity
}
