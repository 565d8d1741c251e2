/** The notifications of a tenant: its rules, what they found, and who is told of it. */

import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { defaultNotificationSettings, type NotificationSettings } from '../../config/notifications.ts'
import type { Snapshot } from '../../log/contract.ts'
import { dictOf } from '../../model/dict.ts'
import type { Entity } from '../../model/entity.ts'
import { masked } from '../../model/masked.ts'
import type { Value } from '../../model/value.ts'
import { DatasetWriter, IndexCompiler } from '../../pipes/dataset-writer.ts'
import { HttpClient } from '../../pipes/http.ts'
import { runsByPump } from '../../pipes/pipe.ts'
import { pendingCount } from '../../pipes/retries/queue.ts'
import type { RunReport } from '../../pipes/run-report.ts'
import { nextRunAt } from '../../pipes/schedule.ts'
import type { StateChange } from '../../pipes/state.ts'
import { type TargetRules, Targets } from '../../pipes/systems/targets.ts'
import type * as hub from '../contract.ts'
import { withSnapshot } from '../datasets.ts'
import { HubError } from '../errors.ts'
import { sourceQueue, trackingQueue } from '../figures/queues.ts'
import type { Disk } from '../health/assess.ts'
import type { Reason } from '../health/reason.ts'
import { addressesOf } from '../notifications/addressees.ts'
import { Delivery } from '../notifications/delivery.ts'
import { eventOfQuietRun } from '../notifications/event.ts'
import { callHook } from '../notifications/hook.ts'
import { sendMail } from '../notifications/mail.ts'
import { hookBody, mailOf, type Told } from '../notifications/message.ts'
import { entityOf, NOTIFICATIONS, type Notification, shown } from '../notifications/notification.ts'
import { Outbox } from '../notifications/outbox.ts'
import { type Recipient, ruleDocument } from '../notifications/rule.ts'
import type { NodeCondition, PipeCondition } from '../notifications/rule-type.ts'
import { ruleTypes } from '../notifications/rule-types.ts'
import { RULES, Rules } from '../notifications/rules.ts'
import { type Entry, savedEntries, savedHeard, savedTracks, type Target } from '../notifications/track.ts'
import { NotificationWatch } from '../notifications/watch.ts'
import type { TenantCore } from './core.ts'
import type { TenantPumps } from './pumps.ts'

/** How each pipe with rules stands, for who pulls that. */
const SUMMARY = 'system:notifications-summary'

/** How often is looked whether somebody is to be told something. */
const TELL_MS = 500
const CONNECT_MS = 10_000
const READ_MS = 15_000

/** What the node knows, and a tenant does not. */
export interface Surroundings {
  disks(): readonly Disk[]
  reasons(): readonly Reason[]
}

export class TenantNotifications implements hub.Notifications {
  readonly #core: TenantCore
  readonly #pumps: TenantPumps
  readonly #surroundings: Surroundings
  readonly #rules: Rules
  readonly #outbox: Outbox
  readonly #delivery: Delivery
  readonly #watch: NotificationWatch
  #http: { readonly targets: TargetRules; readonly client: HttpClient } | null = null
  readonly #indexes = new IndexCompiler()
  readonly #startedAt = Date.now()
  #timer: NodeJS.Timeout | undefined
  #summing: Promise<void> = Promise.resolve()
  #isToBeSummed = false

  constructor(core: TenantCore, pumps: TenantPumps, surroundings: Surroundings) {
    this.#core = core
    this.#pumps = pumps
    this.#surroundings = surroundings
    const saved = withSnapshot(core, (snapshot) => ({
      rules: snapshot.meta(RULES),
      tracks: savedTracks(snapshot),
      heard: savedHeard(snapshot),
      entries: savedEntries(snapshot),
    }))
    this.#rules = new Rules(saved.rules, {
      journal: core.writer.journal,
      now: Date.now,
      changed: () => this.changed(),
    })
    this.#outbox = new Outbox(saved.entries)
    const { noteLogger: logger } = core.options
    this.#delivery = new Delivery(this.#outbox, {
      now: Date.now,
      settings: () => this.#settings(),
      notification: (entry) => this.#watch.notification(entry.notification),
      send: (target, told, id, signal) => this.#send(target, told, id, signal),
      commit: (changes, told) => this.#committed(changes, told),
      logger,
    })
    this.#watch = new NotificationWatch(this.#outbox, saved, {
      now: Date.now,
      newId: randomUUID,
      rules: () => this.#rules.all(),
      pipes: () => [...core.deployment.pipes.keys()],
      gatherMs: () => this.#settings().gather_seconds * 1000,
      repeatMs: () => this.#settings().repeat_seconds * 1000,
      snapshot: () => core.snapshot(),
      feed: core.feed,
      condition: (pipe, snapshot) => this.#condition(pipe, snapshot),
      node: () => this.#node(),
      targets: (rule) => rule.recipients.flatMap((recipient) => this.#targetsOf(recipient)),
      commit: (state, notifications) => this.#write(state, notifications),
      moved: () => this.#sum(),
      logger,
    })
  }

  /** From now on somebody looks, and is told. */
  start(): void {
    if (this.#timer !== undefined) return
    this.#watch.start()
    this.#sum()
    this.#timer = setInterval(() => {
      if (this.#outbox.size > 0) this.#delivery.look()
    }, TELL_MS).unref()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#watch.close()
    await this.#delivery.close()
    await this.#http?.client.close()
    await this.#summing
  }

  /** Rules, or pipes, are others now. */
  changed(): void {
    this.#watch.changed()
    if (this.#timer !== undefined) this.#sum()
  }

  ranQuietly(pipe: string, report: RunReport): void {
    this.#watch.ranQuietly(pipe, eventOfQuietRun(report, Date.now()))
  }

  // What the doors ask for

  types(): string {
    const types = ruleTypes.map(({ type, title, summary, scope, info }) => ({
      _id: type,
      type,
      name: title,
      description: summary,
      scope,
      extra_rule_info: info,
    }))
    return JSON.stringify(types)
  }

  rules(pipe: string | null): readonly string[] {
    return (pipe === null ? this.#rules.all() : this.#rules.of(pipe)).map(ruleDocument)
  }

  rule(id: string, pipe: string | null): string {
    return ruleDocument(this.#rules.get(id, pipe))
  }

  async addRule(text: string, pipe: string | null): Promise<string> {
    if (pipe !== null) this.#core.known(pipe)
    return ruleDocument(await this.#rules.add(text, pipe))
  }

  async replaceRule(id: string, text: string, pipe: string | null): Promise<string> {
    return ruleDocument(await this.#rules.replace(id, text, pipe))
  }

  async removeRule(id: string, pipe: string | null): Promise<void> {
    await this.#rules.remove(id, pipe)
  }

  list({ isOngoing, pipe, limit }: hub.NotificationQuery): readonly string[] {
    const now = new Map(this.#watch.latest().map((one) => [one.id, one]))
    return withSnapshot(this.#core, (snapshot) => {
      const found: string[] = []
      const view = snapshot.dataset(NOTIFICATIONS)
      // The newest first.
      for (const version of view?.changes(null, { history: false, reverse: true }) ?? []) {
        if (version.deleted) continue
        const text = this.#documentOf(version.id, Buffer.from(version.body).toString('utf8'), now)
        const { is_ongoing, pipe_id } = JSON.parse(text) as { is_ongoing: boolean; pipe_id: string | null }
        if (isOngoing !== undefined && is_ongoing !== isOngoing) continue
        if (pipe !== undefined && pipe_id !== pipe) continue
        found.push(text)
        if (found.length >= limit) break
      }
      return found
    })
  }

  one(id: string): string {
    const now = new Map(this.#watch.latest().map((one) => [one.id, one]))
    const stored = withSnapshot(this.#core, (snapshot) => {
      const version = snapshot.dataset(NOTIFICATIONS)?.latest(id)
      return version === undefined || version.deleted ? undefined : Buffer.from(version.body).toString('utf8')
    })
    // What goes on for longer than the dataset keeps anything is known all the same.
    const found = stored ?? (now.has(id) ? '' : undefined)
    if (found === undefined) throw new HubError('unknown-notification', `There is no notification '${id}'.`)
    return this.#documentOf(id, found, now)
  }

  /** What is going on is counted more often than it is written. */
  #documentOf(id: string, stored: string, now: ReadonlyMap<string, Notification>): string {
    const present = now.get(id)
    return present === undefined ? stored : JSON.stringify({ _id: id, ...shown(present) })
  }

  deliveries(): string {
    const waiting = this.#outbox.all().map((entry) => ({ status: 'waiting', ...entryDocument(entry) }))
    const failed = this.#delivery.failed.map(({ entry, at }) => ({
      status: 'given-up',
      ...entryDocument(entry),
      given_up: new Date(at).toISOString(),
    }))
    // What a mail server answered may hold what it was sent.
    return JSON.stringify(masked([...waiting, ...failed], this.#mask))
  }

  figures(): hub.NotificationFigures {
    return {
      ongoing: this.#watch.latest().filter(({ isOngoing }) => isOngoing).length,
      waiting: this.#outbox.size,
      sent: this.#delivery.sent,
      givenUp: this.#delivery.givenUp + this.#outbox.dropped,
      createdAt: this.#startedAt / 1000,
    }
  }

  // What the watch and the delivery ask for

  #settings(): NotificationSettings {
    return this.#core.deployment.notifications ?? defaultNotificationSettings
  }

  #condition(id: string, snapshot: Snapshot): PipeCondition | null {
    const pipe = this.#core.deployment.pipes.get(id)?.pipe
    if (!pipe) return null
    const { scheduler, lags } = this.#pumps
    const state = scheduler.state(id)
    const now = Date.now()
    const { feed } = this.#core
    return {
      now,
      watchedSince: this.#startedAt,
      runningSince: state.running?.startedAt ?? null,
      lastEndedAt: state.lastEndedAt,
      dueAt: scheduler.nextRunAt(id) === null ? null : nextRunAt(pipe.pump, state, this.#startedAt),
      isTripped: pipe.sink.kind === 'dataset' && snapshot.dataset(pipe.sink.dataset)?.document.isTripped === true,
      queue: () => (sourceQueue(pipe, snapshot, feed) ?? 0) + (trackingQueue(pipe, snapshot, feed) ?? 0),
      waitingSeconds: () => {
        if (!runsByPump(pipe)) return 0
        const since = lags.waitingSince(pipe, snapshot)
        return since === null ? 0 : Math.max(0, now - since) / 1000
      },
      deadLetters: () => {
        const letters = pipe.errors.deadLetters
        return letters ? (snapshot.dataset(letters.dataset)?.counts().existing ?? 0) : 0
      },
      retryable: () => pendingCount(id, snapshot),
    }
  }

  #node(): NodeCondition {
    const data = this.#surroundings.disks().find(({ what }) => what === 'data')
    return {
      now: Date.now(),
      diskUsedPercent: data === undefined ? null : (1 - data.freeBytes / data.totalBytes) * 100,
      backupTrouble: this.#core.options.backups.trouble(this.#core.options.name),
      reasons: this.#surroundings.reasons(),
    }
  }

  #targetsOf({ type, id, methods, secret }: Recipient): readonly Target[] {
    const isHook = type === 'webhook'
    if (!methods.includes(isHook ? 'webhook' : 'email')) return []
    if (isHook) return [{ kind: 'webhook', address: id, ...(secret === undefined ? {} : { secret }) }]
    const addresses = type === 'email' ? [id] : this.#addressesOf(type, id)
    if (addresses.length === 0) {
      this.#core.options.noteLogger.warn(`Nobody is told by mail: no address is known of the ${type} '${id}'.`, {
        type,
        id,
      })
    }
    return addresses.map((address) => ({ kind: 'email', address }))
  }

  /** Without accounts nobody is known. */
  #addressesOf(type: 'role' | 'user_id', id: string): readonly string[] {
    const { name, access } = this.#core.options
    if (access === undefined) return []
    const { users, roles } = access
    return addressesOf({ users: () => users.list(), expanded: (some) => roles.expanded(some) }, type, id, name)
  }

  async #send(target: Target, told: readonly Told[], id: string, signal: AbortSignal): Promise<void> {
    const { smtp, web_address } = this.#settings()
    const sender = { tenant: this.#core.options.name, webAddress: web_address ?? null }
    if (target.kind === 'webhook') {
      const secret = target.secret === undefined ? null : this.#secret(target.secret)
      const body = hookBody(masked(told, this.#mask), sender, id)
      const call = { url: target.address, body, delivery: id, secret }
      return callHook(await this.#client(), { ...call, at: Math.floor(Date.now() / 1000) }, signal)
    }
    if (smtp === undefined) {
      throw new HubError('mail-failed', 'The node has no mail server.', {
        hint: 'Name one in the node metadata: notifications.smtp.',
      })
    }
    const targets = new Targets(this.#core.options.targets())
    await sendMail(
      smtp,
      { ...mailOf(masked(told, this.#mask), sender), to: target.address, id },
      {
        lookup: targets.lookup,
        check: (host) => targets.check(host),
        secret: (reference) => this.#secret(reference),
      },
    )
  }

  /** Held to the same targets as systems, which may change while the hub runs. */
  async #client(): Promise<HttpClient> {
    const targets = this.#core.options.targets()
    if (this.#http !== null && isDeepStrictEqual(this.#http.targets, targets)) return this.#http.client
    const former = this.#http
    const client = new HttpClient({
      connectTimeoutMs: CONNECT_MS,
      readTimeoutMs: READ_MS,
      verifyCertificates: true,
      targets,
      mask: this.#mask,
    })
    this.#http = { targets, client }
    await former?.client.close()
    return client
  }

  readonly #mask = (text: string): string => this.#core.secrets.mask(text)

  /** Of `$SECRET(name)`. */
  #secret(reference: string): string {
    const name = /^\$SECRET\((.+)\)$/.exec(reference)?.[1] ?? ''
    const value = this.#core.secrets.valueOf(name, null)
    if (value !== undefined) return value
    throw new HubError('unknown-secret', `There is no secret '${name}'.`, { hint: 'PUT it to /api/secrets.' })
  }

  async #committed(changes: readonly StateChange[], told: readonly Entry[]): Promise<void> {
    const begun = told.filter(({ what }) => what !== 'resolved')
    const tracks = begun.flatMap(({ ruleId, pipe }) => this.#watch.told(ruleId, pipe, Date.now()))
    await this.#core.writer.journal.commit({ state: [...changes, ...tracks], durable: true })
  }

  async #write(state: readonly StateChange[], notifications: readonly Notification[]): Promise<void> {
    if (notifications.length === 0) await this.#core.writer.journal.commit({ state })
    else await this.#put(NOTIFICATIONS, notifications.map(entityOf), state)
  }

  async #put(dataset: string, entities: readonly Entity[], state: readonly StateChange[]): Promise<void> {
    const { journal } = this.#core.writer
    let document = await journal.assertDataset(dataset)
    const present = () => withSnapshot(this.#core, (snapshot) => snapshot.dataset(dataset)?.document)
    const writer = new DatasetWriter(
      journal,
      this.#indexes,
      dataset,
      () => document,
      () => {
        document = present() ?? document
      },
    )
    await writer.write(entities, { state })
  }

  /** One after the other, each as things are by then. */
  #sum(): void {
    if (this.#isToBeSummed) return
    this.#isToBeSummed = true
    this.#summing = this.#summing.then(async () => {
      this.#isToBeSummed = false
      try {
        await this.#put(SUMMARY, this.#summaries(), [])
      } catch (error) {
        this.#core.options.noteLogger.error(`The summary of notifications was not written: ${(error as Error).message}`)
      }
    })
  }

  /** One of the tenant, and one of each pipe with rules (hub.md §25.3). */
  #summaries(): readonly Entity[] {
    const { name } = this.#core.options
    const ongoing = this.#watch.latest().filter(({ isOngoing }) => isOngoing)
    const summary = (id: string, pipe: string | null) => {
      const those = ongoing.filter((one) => one.pipe === pipe).map((one) => plainDict(shown(one)))
      return dictOf({
        _id: id,
        subscription_id: name,
        ...(pipe === null ? {} : { pipe_id: pipe }),
        status: those.length === 0 ? 'ok' : 'failed',
        ...(those.length === 0 ? {} : { notifications: those }),
      }) as Entity
    }
    const pipes = new Set([...this.#watch.watched(), ...ongoing.flatMap(({ pipe }) => pipe ?? [])])
    const here = [summary(name, null), ...[...pipes].map((pipe) => summary(`${name}_${pipe}`, pipe))]
    const gone = withSnapshot(this.#core, (snapshot) =>
      [...(snapshot.dataset(SUMMARY)?.heads({ deleted: false }) ?? [])].flatMap(({ id }) =>
        id === name || pipes.has(id.slice(name.length + 1)) ? [] : [dictOf({ _id: id, _deleted: true }) as Entity],
      ),
    )
    return [...here, ...gone]
  }
}

const plainDict = (plain: Readonly<Record<string, Value>>): Value => dictOf(plain)

const entryDocument = ({ target, what, notification, pipe, createdAt, dueAt, attempts, lastError }: Entry) => ({
  // The path of a webhook may be what protects it.
  recipient: target.kind === 'webhook' ? new URL(target.address).origin : target.address,
  method: target.kind,
  what,
  notification_id: notification,
  pipe_id: pipe,
  created: new Date(createdAt).toISOString(),
  next_attempt: new Date(dueAt).toISOString(),
  attempts,
  last_error: lastError,
})
