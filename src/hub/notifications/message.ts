/** What people and programs are told: one message of one or of many notifications. */

import { type Notification, shown } from './notification.ts'
import type { Entry } from './track.ts'

export interface Told {
  readonly what: Entry['what']
  readonly notification: Notification
}

/** Where it comes from. */
export interface Sender {
  readonly tenant: string
  /** Where people find the hub; null: nobody said. */
  readonly webAddress: string | null
}

export interface Mail {
  readonly subject: string
  readonly text: string
}

/** Told one by one; of more only the number. */
const MOST = 100
const LONGEST_SUBJECT = 160

export function mailOf(told: readonly Told[], sender: Sender): Mail {
  const [only] = told
  const subject =
    told.length === 1 && only !== undefined ? headline(only) : `${told.length} notifications: ${summary(told)}`
  const lines = told.slice(0, MOST).flatMap((one) => [...paragraph(one), ''])
  const more = told.length > MOST ? [`And ${told.length - MOST} more.`, ''] : []
  return {
    subject: `[samtale${sender.tenant === 'default' ? '' : ` ${sender.tenant}`}] ${oneLine(subject).slice(0, LONGEST_SUBJECT)}`,
    text: [...(told.length === 1 ? [] : [`${summary(told)}.`, '']), ...lines, ...more, footer(sender)].join('\n'),
  }
}

/** Body of a call. `delivery` names it: a call that is made again has the same. */
export function hookBody(told: readonly Told[], { tenant }: Sender, delivery: string): string {
  return JSON.stringify({
    delivery,
    tenant,
    notifications: told.slice(0, MOST).map(({ what, notification }) => ({ what, ...shown(notification) })),
    left_out: Math.max(0, told.length - MOST),
  })
}

function summary(told: readonly Told[]): string {
  const count = (what: Told['what']) => told.filter((one) => one.what === what).length
  const parts = [
    [count('opened'), 'began'],
    [count('happened'), 'happened'],
    [count('resolved'), 'resolved'],
  ] as const
  return parts.flatMap(([number, what]) => (number === 0 ? [] : [`${number} ${what}`])).join(', ')
}

const headline = ({ what, notification: { pipe, ruleName } }: Told): string =>
  `${what === 'resolved' ? 'Resolved: ' : ''}${pipe === null ? '' : `${pipe}: `}${ruleName}`

function paragraph(told: Told): string[] {
  const { pipe, msg, at, lastAt, count, resolvedAt } = told.notification
  const first = new Date(at).toISOString()
  return [
    oneLine(headline(told)),
    `  ${msg.split('\n').join('\n  ')}`,
    ...(pipe === null ? [] : [`  Pipe: ${oneLine(pipe)}`]),
    count === 1
      ? `  At ${first}.`
      : `  First at ${first}; ${count - 1} more times since, the last at ${new Date(lastAt).toISOString()}.`,
    ...(resolvedAt === null ? [] : [`  Well again since ${new Date(resolvedAt).toISOString()}.`]),
  ]
}

const footer = ({ tenant, webAddress }: Sender): string =>
  `-- \nSamtale, tenant ${tenant}${webAddress === null ? '' : `, ${webAddress}`}. Rules: /api/notification-rules`

/** No text of others begins a header of its own. */
const oneLine = (text: string): string => text.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ')
