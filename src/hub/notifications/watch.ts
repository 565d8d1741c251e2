/**
 * Looks after the rules of a tenant: a fold over the execution logs of its pipes, with a position in each, and a look now and
 * then at what no log tells. What it finds, what is to be told of it, and how far it came are one commit.
 */

import type { DatasetView, Feed, Snapshot } from '../../log/contract.ts'
import { executionDataset } from '../../pipes/execution/event.ts'
import type { Logger } from '../../pipes/logger.ts'
import type { StateChange } from '../../pipes/state.ts'
import { eventFrom, type PumpEvent } from './event.ts'
import { changed, type Notification } from './notification.ts'
import type { Outbox } from './outbox.ts'
import { listensTo, type Pair, type Plan, planOf } from './plan.ts'
import type { Rule } from './rule.ts'
import type { NodeCondition, PipeCondition, Verdict } from './rule-type.ts'
import {
  type Heard,
  heardForgotten,
  heardSaved,
  newTrack,
  type Target,
  type Track,
  trackForgotten,
  trackName,
  trackSaved,
} from './track.ts'

export interface WatchPorts {
  now(): number
  newId(): string
  rules(): readonly Rule[]
  pipes(): readonly string[]
  readonly gatherMs: () => number
  readonly repeatMs: () => number
  snapshot(): Snapshot
  readonly feed: Pick<Feed, 'end' | 'commits' | 'changed'>
  condition(pipe: string, snapshot: Snapshot): PipeCondition | null
  node(): NodeCondition
  /** Whom a rule tells. */
  targets(rule: Rule): readonly Target[]
  /** In one commit: rows of state, and versions of notifications. */
  commit(state: readonly StateChange[], notifications: readonly Notification[]): Promise<void>
  /** Something began or ended. */
  moved(): void
  readonly logger: Logger
}

/** How often is looked at what no log tells. */
const LOOK_MS = 10_000
/** Between two rounds others get their turn, however much is written. */
const REST_MS = 250
const SLICE_MS = 4
/** Entries of one log in one round. */
const PAGE = 200
/** While it goes on, a notification is written again when it happened twice as often, or after this. */
const WRITE_AGAIN_MS = 3_600_000

export class NotificationWatch {
  readonly #ports: WatchPorts
  readonly #outbox: Outbox
  readonly #tracks = new Map<string, Track>()
  readonly #heard = new Map<string, Heard>()
  /** Of runs that no log tells of. */
  readonly #quiet: (readonly [pipe: string, event: PumpEvent])[] = []
  readonly #startedAt: number
  #plan: Plan | null = null
  /** What is not committed yet. */
  #rows: StateChange[] = []
  readonly #dirty = new Set<Track>()
  readonly #written = new Map<string, Notification>()
  #lookedAt = Number.NEGATIVE_INFINITY
  #isClosed = false
  /** How often it was woken. */
  #wakes = 0
  #onWake: () => void = () => {}
  #restEnds: () => void = () => {}
  #loop: Promise<void> | null = null

  constructor(outbox: Outbox, saved: { tracks: readonly Track[]; heard: readonly Heard[] }, ports: WatchPorts) {
    this.#outbox = outbox
    this.#ports = ports
    this.#startedAt = ports.now()
    for (const track of saved.tracks) this.#tracks.set(trackName(track.ruleId, track.pipe), track)
    for (const heard of saved.heard) this.#heard.set(heard.pipe, heard)
  }

  start(): void {
    this.#loop ??= this.#run()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#restEnds()
    this.#wake()
    await this.#loop
  }

  /** Rules or pipes are others now: what happens from here on is heard. */
  changed(): void {
    this.#plan = null
    const snapshot = this.#ports.snapshot()
    try {
      for (const [pipe] of this.#planned().hearing) if (!this.#heard.has(pipe)) this.#begin(pipe, snapshot)
    } finally {
      snapshot.close()
    }
    this.#wake()
  }

  /** A run ended of which the log does not tell. */
  ranQuietly(pipe: string, event: PumpEvent): void {
    if (!this.#planned().hearing.has(pipe)) return
    this.#quiet.push([pipe, event])
    this.#wake()
  }

  /** The last notification of each rule and pipe, as it is now. */
  latest(): readonly Notification[] {
    return [...this.#tracks.values()].flatMap(({ notification }) => notification ?? [])
  }

  notification(id: string): Notification | undefined {
    return this.latest().find((one) => one.id === id)
  }

  /** Pipes with rules. */
  watched(): ReadonlySet<string> {
    const { hearing, looking } = this.#planned()
    return new Set([...hearing.keys(), ...looking.keys()])
  }

  /** Somebody was told that it began; to be committed by who told it. */
  told(ruleId: string, pipe: string | null, at: number): readonly StateChange[] {
    const track = this.#tracks.get(trackName(ruleId, pipe))
    if (track === undefined) return []
    track.toldAt = at
    return [trackSaved(track)]
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const [seen, wakes] = [this.#ports.feed.commits(), this.#wakes]
      await this.round()
      await this.#rest()
      if (this.#isClosed || this.#wakes !== wakes) continue
      const woken = new Promise<void>((resolve) => {
        this.#onWake = resolve
      })
      // Without rules nothing that is written is of interest.
      const isIdle = this.#planned().names.size === 0
      await (isIdle ? woken : Promise.race([this.#ports.feed.changed(seen, LOOK_MS), woken]))
    }
  }

  #wake(): void {
    this.#wakes++
    this.#onWake()
  }

  #rest(): Promise<void> {
    return new Promise((resolve) => {
      this.#restEnds = resolve
      setTimeout(resolve, REST_MS).unref()
    })
  }

  /** Hears what is new, looks if it is time to, and commits what it found. */
  async round(): Promise<void> {
    try {
      const plan = this.#planned()
      this.#forget(plan)
      for (const [pipe, event] of this.#quiet.splice(0)) this.#hear(plan.hearing.get(pipe) ?? [], event)
      await this.#sliced([...plan.hearing], ([pipe, pairs], snapshot) => this.#listen(pipe, pairs, snapshot))
      if (this.#ports.now() - this.#lookedAt >= LOOK_MS) await this.#look(plan)
      await this.#commit()
    } catch (error) {
      if (!this.#isClosed) this.#ports.logger.error(`Notifications: ${(error as Error).message}`)
    }
  }

  #planned(): Plan {
    this.#plan ??= planOf(this.#ports.rules(), this.#ports.pipes())
    return this.#plan
  }

  /** What no rule looks at any more is over. */
  #forget({ names, hearing }: Plan): void {
    for (const [name, track] of this.#tracks) {
      if (names.has(name)) continue
      this.#tracks.delete(name)
      this.#dirty.delete(track)
      this.#rows.push(trackForgotten(track))
      const { notification } = track
      if (notification?.isOngoing === true) this.#end(notification)
    }
    for (const pipe of this.#heard.keys()) {
      if (hearing.has(pipe)) continue
      this.#heard.delete(pipe)
      this.#rows.push(heardForgotten(pipe))
    }
  }

  #end(notification: Notification): void {
    this.#written.set(notification.id, { ...notification, isOngoing: false, resolvedAt: this.#ports.now() })
  }

  async #sliced<T>(all: readonly T[], work: (one: T, snapshot: Snapshot) => void): Promise<void> {
    for (let place = 0; place < all.length && !this.#isClosed; ) {
      const until = performance.now() + SLICE_MS
      const snapshot = this.#ports.snapshot()
      try {
        while (place < all.length && performance.now() < until) work(all[place++] as T, snapshot)
      } finally {
        snapshot.close()
      }
      if (place < all.length) await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Nobody looked at it before. */
  #begin(pipe: string, snapshot: Snapshot): void {
    const document = snapshot.dataset(executionDataset(pipe))?.document
    const end = document === undefined ? 0 : this.#ports.feed.end(document.number)
    this.#note({ pipe, generation: document?.generation ?? '', sequence: end - 1 })
  }

  /** What the log of a pipe tells since it was heard last. */
  #listen(pipe: string, pairs: readonly Pair[], snapshot: Snapshot): void {
    const known = this.#heard.get(pipe)
    if (known === undefined) {
      this.#begin(pipe, snapshot)
      return
    }
    const view = snapshot.dataset(executionDataset(pipe))
    if (view === undefined) return
    const { generation, number } = view.document
    const since = known.generation === generation ? known.sequence : -1
    if (this.#ports.feed.end(number) - 1 > since) this.#read(pipe, pairs, view, since)
  }

  #read(pipe: string, pairs: readonly Pair[], view: DatasetView, since: number): void {
    const isOfInterest = listensTo(pairs)
    let last = since
    let read = 0
    for (const version of view.changes(since < 0 ? null : since, { history: true })) {
      last = version.sequence
      if (!version.deleted && isOfInterest(version.id)) {
        const event = eventFrom(version.body, version.ts)
        if (event !== null) this.#hear(pairs, event)
      }
      // The rest is there in the next round.
      if (++read === PAGE) {
        this.#wake()
        break
      }
    }
    this.#note({ pipe, generation: view.document.generation, sequence: last })
  }

  #note(heard: Heard): void {
    this.#heard.set(heard.pipe, heard)
    this.#rows.push(heardSaved(heard))
  }

  #hear(pairs: readonly Pair[], event: PumpEvent): void {
    for (const pair of pairs) {
      const track = this.#track(pair)
      const before = JSON.stringify(track.memory)
      const verdict = pair.type.hear?.(event, pair.rule.extra_rule_info, track.memory) ?? null
      if (JSON.stringify(track.memory) !== before) this.#dirty.add(track)
      this.#judge(pair, track, verdict, event.at, true)
    }
  }

  async #look(plan: Plan): Promise<void> {
    this.#lookedAt = this.#ports.now()
    await this.#sliced([...plan.looking], ([pipe, pairs], snapshot) => {
      const condition = this.#ports.condition(pipe, snapshot)
      if (condition === null) return
      for (const pair of pairs) this.#lookAt(pair, condition)
    })
    if (plan.ofNode.length === 0) return
    const node = this.#ports.node()
    for (const pair of plan.ofNode) {
      const verdict = pair.type.lookAtNode?.(node, pair.rule.extra_rule_info) ?? null
      this.#judge(pair, this.#track(pair), verdict, this.#ports.now(), false)
    }
  }

  #lookAt(pair: Pair, condition: PipeCondition): void {
    const track = this.#track(pair)
    const watchedSince = Math.max(this.#startedAt, Date.parse(pair.rule.created))
    const before = JSON.stringify(track.memory)
    const seen = Object.assign(Object.create(condition) as PipeCondition, { watchedSince })
    const verdict = pair.type.look?.(seen, pair.rule.extra_rule_info, track.memory) ?? null
    if (JSON.stringify(track.memory) !== before) this.#dirty.add(track)
    this.#judge(pair, track, verdict, condition.now, false)
  }

  #judge({ rule, pipe }: Pair, track: Track, verdict: Verdict, at: number, isEvent: boolean): void {
    if (verdict === null) return
    const { newId, repeatMs, gatherMs, now } = this.#ports
    const news = changed(track.notification, rule, pipe, { verdict, at, isEvent, repeatMs: repeatMs(), newId })
    if (news === null) return
    track.notification = news.notification
    this.#dirty.add(track)
    if (news.news !== 'again' || isWorthWriting(track, now())) this.#write(track)
    if (news.news === 'again') return
    const timing = { gatherMs: gatherMs(), repeatMs: repeatMs() }
    this.#rows.push(...this.#outbox.note(track, news.news, this.#ports.targets(rule), now(), timing))
  }

  #write(track: Track): void {
    const { notification } = track
    if (notification === null) return
    track.writtenAt = this.#ports.now()
    track.writtenCount = notification.count
    this.#written.set(notification.id, notification)
  }

  #track({ name, rule, pipe }: Pair): Track {
    let track = this.#tracks.get(name)
    if (track === undefined) {
      track = newTrack(rule.id, pipe)
      this.#tracks.set(name, track)
    }
    return track
  }

  /** What could not be committed is committed with the next. */
  async #commit(): Promise<void> {
    const rows = [...this.#rows.splice(0), ...[...this.#dirty].map(trackSaved)]
    const notifications = [...this.#written.values()]
    if (rows.length === 0 && notifications.length === 0) return
    const dirty = [...this.#dirty]
    this.#dirty.clear()
    this.#written.clear()
    try {
      await this.#ports.commit(rows, notifications)
    } catch (error) {
      this.#rows = [...rows, ...this.#rows]
      for (const track of dirty) this.#dirty.add(track)
      for (const one of notifications) if (!this.#written.has(one.id)) this.#written.set(one.id, one)
      throw error
    }
    if (notifications.length > 0) this.#ports.moved()
  }
}

const isWorthWriting = ({ notification, writtenCount, writtenAt }: Track, now: number): boolean =>
  (notification?.count ?? 0) >= 2 * writtenCount || now - writtenAt >= WRITE_AGAIN_MS
