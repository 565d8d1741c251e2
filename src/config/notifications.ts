/** How a node sends notifications: its mail server, and when people are to be left alone (node metadata, `notifications`). */

import { type Static, Type } from 'typebox'

const smtp = Type.Object({
  smtp_server: Type.String({ minLength: 1, description: 'Name or address of the mail server.' }),
  smtp_port: Type.Integer({ minimum: 1, maximum: 65535, default: 587, description: 'Its port.' }),
  smtp_username: Type.Optional(Type.String({ description: 'Who logs in; absent: nobody does.' })),
  smtp_password: Type.Optional(
    Type.String({
      pattern: '^\\$SECRET\\([^()]+\\)$',
      description: 'The name of a secret of the node: "$SECRET(name)".',
    }),
  ),
  tls: Type.Enum(['starttls', 'implicit', 'none'], {
    default: 'starttls',
    description: 'starttls: nothing is said before the connection is encrypted; implicit: it is from the start.',
  }),
  verify_ssl: Type.Boolean({ default: true, description: 'The certificate of the server is checked.' }),
  mail_from: Type.String({ pattern: '^[^\\s@<>",;]+@[^\\s@<>",;]+$', description: 'Whom the mails are from.' }),
})

const TIME = '^([01]\\d|2[0-3]):[0-5]\\d$'

const quietHours = Type.Object({
  from: Type.String({ pattern: TIME, description: 'Such as "22:00".' }),
  to: Type.String({ pattern: TIME, description: 'Such as "06:30".' }),
  time_zone: Type.String({ default: 'UTC', description: 'Such as "Europe/Oslo".' }),
})

export const notificationsSchema = Type.Object({
  smtp: Type.Optional(smtp),
  quiet_hours: Type.Optional(quietHours),
  gather_seconds: Type.Number({
    default: 30,
    minimum: 0,
    maximum: 3600,
    description: 'What happens within this time is told in one message.',
  }),
  repeat_seconds: Type.Number({
    default: 3600,
    minimum: 0,
    description: 'Of one rule and pipe nothing is told again sooner than this.',
  }),
  max_per_hour: Type.Integer({
    default: 20,
    minimum: 1,
    description: 'Messages to one recipient; what is more waits, and is told together.',
  }),
  keep_days: Type.Integer({ default: 90, minimum: 1, description: 'What is over is forgotten after this.' }),
  web_address: Type.Optional(
    Type.String({ pattern: '^https?://', description: 'Where people find the hub; messages link to it.' }),
  ),
})

export type NotificationSettings = Static<typeof notificationsSchema>

export const defaultNotificationSettings: NotificationSettings = {
  gather_seconds: 30,
  repeat_seconds: 3600,
  max_per_hour: 20,
  keep_days: 90,
}
