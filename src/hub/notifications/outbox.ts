/** What somebody is still to be told: kept in the log until it was, so that a restart loses none of it. */

import type { StateChange } from '../../pipes/state.ts'
import type { News, Notification } from './notification.ts'
import { type Entry, entryForgotten, entrySaved, type Target, type Track } from './track.ts'

/** More than that nobody would read. */
export const MAX_ENTRIES = 10_000

export interface Timing {
  /** What comes within this time is told together. */
  readonly gatherMs: number
  /** Of one rule and pipe nothing is told again sooner. */
  readonly repeatMs: number
}

export class Outbox {
  readonly #entries = new Map<string, Entry>()
  /** Names of entries by their notification. */
  readonly #about = new Map<string, Set<string>>()
  #last = 0
  /** Not taken in, since there were too many. */
  dropped = 0

  constructor(saved: readonly Entry[]) {
    for (const entry of [...saved].sort((a, b) => (a.id < b.id ? -1 : 1))) this.#put(entry)
  }

  /** In the order in which they came. */
  all(): readonly Entry[] {
    return [...this.#entries.values()]
  }

  get size(): number {
    return this.#entries.size
  }

  /** What is to be told of news about a track, and what need not be told any more; to be committed with the track. */
  note(track: Track, news: News, targets: readonly Target[], now: number, timing: Timing): StateChange[] {
    const { notification } = track
    if (notification === null || news === 'again') return []
    const names = [...(this.#about.get(notification.id) ?? [])]
    const waiting = names.flatMap((name) => this.#entries.get(name) ?? [])
    if (news === 'resolved') return this.#resolved(track, notification, waiting, targets, now, timing)
    const moot = waiting.filter(({ what }) => what === 'resolved')
    const dueAt = dueTime(track, notification, now, timing)
    const isTold = (target: Target) => waiting.some((entry) => isSame(entry.target, target))
    return [
      ...this.#drop(moot),
      // That it is well again was not told yet, so to whoever waits for that nothing is new.
      ...targets.flatMap((target) => (isTold(target) ? [] : this.#add(notification, target, news, now, dueAt))),
    ]
  }

  /** Of what nobody was told that it began, nobody is told that it ended. */
  #resolved(
    track: Track,
    notification: Notification,
    waiting: readonly Entry[],
    targets: readonly Target[],
    now: number,
    { gatherMs }: Timing,
  ): StateChange[] {
    const untold = waiting.filter(({ what, attempts }) => what === 'opened' && attempts === 0)
    const isUntold = (target: Target) => untold.some((entry) => isSame(entry.target, target))
    const isToldBefore = track.toldAt !== null && track.toldAt >= notification.at
    const told = targets.filter((target) => !isUntold(target) && (isToldBefore || waiting.length > 0))
    const dueAt = notification.isUrgent ? now : now + gatherMs
    return [...this.#drop(untold), ...told.flatMap((target) => this.#add(notification, target, 'resolved', now, dueAt))]
  }

  #add(
    { id: notification, ruleId, pipe, isUrgent }: Notification,
    target: Target,
    what: Entry['what'],
    now: number,
    dueAt: number,
  ): StateChange[] {
    if (this.#entries.size >= MAX_ENTRIES) {
      this.dropped++
      return []
    }
    const id = `${now.toString(36).padStart(9, '0')}${(this.#last++ % 36 ** 5).toString(36).padStart(5, '0')}`
    const entry: Entry = {
      id,
      ruleId,
      pipe,
      notification,
      target,
      what,
      isUrgent,
      createdAt: now,
      dueAt,
      attempts: 0,
      lastError: null,
    }
    this.#put(entry)
    return [entrySaved(entry)]
  }

  /** They were told, or never will be. */
  remove(entries: readonly Entry[]): StateChange[] {
    return this.#drop(entries)
  }

  /** They were not taken: again later. */
  postpone(entries: readonly Entry[], dueAt: number, lastError: string): StateChange[] {
    return entries.map((entry) => {
      const next = { ...entry, dueAt, lastError, attempts: entry.attempts + 1 }
      this.#entries.set(entry.id, next)
      return entrySaved(next)
    })
  }

  #put(entry: Entry): void {
    this.#entries.set(entry.id, entry)
    const names = this.#about.get(entry.notification)
    if (names === undefined) this.#about.set(entry.notification, new Set([entry.id]))
    else names.add(entry.id)
  }

  #drop(entries: readonly Entry[]): StateChange[] {
    return entries.flatMap(({ id, notification }) => {
      const names = this.#about.get(notification)
      names?.delete(id)
      if (names?.size === 0) this.#about.delete(notification)
      return this.#entries.delete(id) ? [entryForgotten(id)] : []
    })
  }
}

/** Not sooner than a while after the last time that somebody was told of it. */
function dueTime({ toldAt }: Track, { isUrgent }: Notification, now: number, { gatherMs, repeatMs }: Timing): number {
  const gathered = isUrgent ? now : now + gatherMs
  return toldAt === null ? gathered : Math.max(gathered, toldAt + repeatMs)
}

export const targetKey = ({ kind, address }: Target): string => `${kind} ${address}`

const isSame = (a: Target, b: Target): boolean => targetKey(a) === targetKey(b)
