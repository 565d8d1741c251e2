/** One notification from its first event to its end: pure, and how it is shown. */

import { dictOf } from '../../model/dict.ts'
import type { Entity } from '../../model/entity.ts'
import { timeText } from '../../pipes/execution/event.ts'
import type { Rule } from './rule.ts'
import type { Verdict } from './rule-type.ts'

/** The dataset of all that rules found, with its history. */
export const NOTIFICATIONS = 'system:notifications'

export interface Notification {
  readonly id: string
  readonly ruleId: string
  readonly ruleName: string
  readonly ruleType: string
  /** Null: it is about the hub. */
  readonly pipe: string | null
  readonly msg: string
  /** Of the first event and of the last, milliseconds since 1970. */
  readonly at: number
  readonly lastAt: number
  readonly count: number
  readonly isOngoing: boolean
  /** When all was well again. */
  readonly resolvedAt: number | null
  readonly isUrgent: boolean
}

/** What is new about it: `again` is nothing that anybody is told of. */
export type News = 'opened' | 'again' | 'resolved' | 'happened'

export interface Occasion {
  readonly verdict: NonNullable<Verdict>
  readonly at: number
  /** An event, and not a look at how things are, which goes on for as long as they are so. */
  readonly isEvent: boolean
  /** Within this time after the last event it is the same notification. */
  readonly repeatMs: number
  newId(): string
}

/** What becomes of the last notification of a rule and a pipe; null: nothing. */
export function changed(
  last: Notification | null,
  rule: Rule,
  pipe: string | null,
  { verdict, at, isEvent, repeatMs, newId }: Occasion,
): { readonly notification: Notification; readonly news: News } | null {
  if (verdict.kind === 'right') {
    if (last?.isOngoing !== true) return null
    return { notification: { ...last, isOngoing: false, resolvedAt: at }, news: 'resolved' }
  }
  const { msg } = verdict
  if (last?.isOngoing === true && !isEvent) return null
  const isSame = last !== null && (last.isOngoing || at - last.lastAt < repeatMs)
  const isWrong = verdict.kind === 'wrong'
  if (isSame) {
    const next = { ...last, msg, lastAt: at, count: last.count + 1, isOngoing: isWrong, resolvedAt: null }
    return { notification: next, news: isWrong && !last.isOngoing ? 'opened' : 'again' }
  }
  const notification: Notification = {
    id: newId(),
    ruleId: rule.id,
    ruleName: rule.name,
    ruleType: rule.type,
    pipe,
    msg,
    at,
    lastAt: at,
    count: 1,
    isOngoing: isWrong,
    resolvedAt: null,
    isUrgent: rule.is_urgent,
  }
  return { notification, news: isWrong ? 'opened' : 'happened' }
}

/** As it is shown (hub.md §25.3). */
export const shown = (one: Notification) => ({
  notification_id: one.id,
  notification_rule_id: one.ruleId,
  notification_rule_name: one.ruleName,
  notification_rule_type: one.ruleType,
  pipe_id: one.pipe,
  msg: one.msg,
  event_timestamp: timeText(one.at),
  last_event_timestamp: timeText(one.lastAt),
  event_count: one.count,
  is_ongoing: one.isOngoing,
  resolved_timestamp: one.resolvedAt === null ? null : timeText(one.resolvedAt),
  is_urgent: one.isUrgent,
})

/** As it is kept, with its history. */
export const entityOf = (one: Notification): Entity => dictOf({ _id: one.id, ...shown(one) }) as Entity
