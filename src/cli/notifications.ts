/** `samtale notifications`: what the rules of a hub that runs found, what goes on first. */

import { withHub } from './asking.ts'
import type { Command } from './command.ts'
import { age } from './figures.ts'
import type { Terminal } from './terminal.ts'

interface NotificationDocument {
  readonly notification_rule_name: string
  readonly pipe_id: string | null
  readonly msg: string
  readonly event_timestamp: string
  readonly last_event_timestamp: string
  readonly event_count: number
  readonly is_ongoing: boolean
}

interface DeliveryDocument {
  readonly status: string
  readonly recipient: string
  readonly what: string
  readonly attempts: number
  readonly last_error: string | null
}

export const notifications: Command = async ({ given, environment, terminal }) =>
  withHub(given, environment, async (hub) => {
    const only = given.flag('ongoing') ? 'is_ongoing=true&' : ''
    const found = await hub.get<readonly NotificationDocument[]>(
      `/api/notifications?${only}limit=${given.text('limit')}`,
    )
    const deliveries = given.flag('deliveries')
      ? await hub.get<readonly DeliveryDocument[]>('/api/notification-deliveries')
      : null
    if (given.flag('json')) terminal.line(JSON.stringify({ notifications: found, deliveries }, null, 2))
    else {
      const sorted = [...found].sort((a, b) => Number(b.is_ongoing) - Number(a.is_ongoing))
      for (const one of sorted) for (const line of linesOf(one, Date.now(), terminal)) terminal.line(line)
      if (found.length === 0) terminal.line('There are no notifications.')
      for (const one of deliveries ?? []) terminal.line(deliveryLine(one, terminal))
    }
    return found.some(({ is_ongoing }) => is_ongoing) ? 1 : 0
  })

function* linesOf(one: NotificationDocument, now: number, { red, dim }: Terminal): Generator<string> {
  const { pipe_id, notification_rule_name: name, event_count: count, is_ongoing } = one
  const since = age(now - Date.parse(one.event_timestamp))
  const last = age(now - Date.parse(one.last_event_timestamp))
  const often = count === 1 ? '' : `, ${count} times, the last ${last} ago`
  const state = is_ongoing ? red('ongoing') : dim('over')
  yield `${state} ${pipe_id === null ? '' : `${pipe_id}: `}${name}, since ${since}${often}`
  yield `  ${one.msg.split('\n', 1)[0]}`
}

function deliveryLine(
  { status, recipient, what, attempts, last_error }: DeliveryDocument,
  { yellow }: Terminal,
): string {
  const tried = attempts === 0 ? '' : `, tried ${attempts} times: ${last_error ?? 'no answer'}`
  return `${yellow(status)} ${what} to ${recipient}${tried}`
}
