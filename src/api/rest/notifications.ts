/** Notifications: the rules of pipes and of the hub, what they found, and who is still to be told (hub.md §25.3). */

import { Type } from 'typebox'
import { json, jsonArray, jsonText } from '../answer.ts'
import { textOf } from '../body.ts'
import { count, text } from '../parameters.ts'
import { type Call, type Route, route } from '../route.ts'
import { EntityShape, found, given, ObjectShape, ProblemShape } from './shapes.ts'

const RuleShape = Type.Object(
  {
    _id: Type.String(),
    id: Type.String(),
    type: Type.String(),
    name: Type.String(),
    description: Type.String(),
    pipe_id: Type.Union([Type.String(), Type.Null()]),
    pipes: Type.Array(Type.String()),
    extra_rule_info: ObjectShape,
    recipients: Type.Array(ObjectShape),
    is_enabled: Type.Boolean(),
    is_urgent: Type.Boolean(),
    created: Type.String(),
  },
  { description: 'A rule.' },
)

const RuleBody = Type.Object({
  type: Type.String({ description: 'One of the available rule types.' }),
  name: Type.String(),
  description: Type.Optional(Type.String()),
  pipes: Type.Optional(Type.Array(Type.String(), { description: 'Patterns of ids, of a rule about many pipes.' })),
  extra_rule_info: Type.Optional(ObjectShape),
  recipients: Type.Optional(
    Type.Array(
      Type.Union([
        Type.String({ description: 'An e-mail address, a role, or the address of a webhook.' }),
        Type.Object({
          id: Type.String(),
          type: Type.Optional(Type.String({ description: 'email, role, user_id or webhook.' })),
          methods: Type.Optional(Type.Array(Type.String({ description: 'portal, email or webhook.' }))),
          secret: Type.Optional(Type.String({ description: 'Of a webhook: "$SECRET(name)" signs its calls.' })),
        }),
      ]),
    ),
  ),
  is_enabled: Type.Optional(Type.Boolean()),
  is_urgent: Type.Optional(Type.Boolean({ description: 'Told at once, also in quiet hours.' })),
})

const NotificationShape = Type.Object(
  {
    _id: Type.String(),
    notification_id: Type.String(),
    notification_rule_id: Type.String(),
    notification_rule_name: Type.String(),
    notification_rule_type: Type.String(),
    pipe_id: Type.Union([Type.String(), Type.Null()]),
    msg: Type.String(),
    event_timestamp: Type.String(),
    last_event_timestamp: Type.String(),
    event_count: Type.Integer(),
    is_ongoing: Type.Boolean(),
  },
  { description: 'A notification.', additionalProperties: true },
)

const FEW = 100
const MOST = 10_000

/** The dataset that the summary is kept in. */
const SUMMARY = 'system:notifications-summary'

const accepts = { 'application/json': RuleBody }
const created = {
  201: { description: 'The rule as it is kept.', schema: RuleShape },
  400: { description: 'It cannot be taken; `details.problems` say why.', schema: ProblemShape },
}

const common = { tag: 'Notifications' } as const

/** The same for the rules of a pipe and for those of all. */
function ruleRoutes(
  path: string,
  what: string,
  resource: 'pipe' | 'tenant',
  pipeOf: (call: Call) => string | null,
): Route[] {
  // Who makes a rule decides where the hub calls, as who configures a pipe does.
  const shared = { ...common, resource } as const
  const change = resource === 'pipe' ? 'write' : 'operate'
  const id = (call: Call) => call.params.rule as string
  return [
    route({
      ...shared,
      action: 'read',
      method: 'GET',
      path,
      summary: `The notification rules ${what}.`,
      answers: given(Type.Array(RuleShape), 'The rules.'),
      handle: (call) => jsonArray(call.tenant.notifications.rules(pipeOf(call))),
    }),
    route({
      ...shared,
      action: change,
      method: 'POST',
      path,
      summary: `Adds a notification rule ${what}.`,
      accepts,
      answers: created,
      handle: async (call) =>
        jsonText(await call.tenant.notifications.addRule(textOf(call), pipeOf(call)), { status: 201 }),
    }),
    route({
      ...shared,
      action: 'read',
      method: 'GET',
      path: `${path}/:rule`,
      summary: 'One notification rule.',
      answers: found(RuleShape, 'The rule.'),
      handle: (call) => jsonText(call.tenant.notifications.rule(id(call), pipeOf(call))),
    }),
    route({
      ...shared,
      action: change,
      method: 'PUT',
      path: `${path}/:rule`,
      summary: 'Replaces a notification rule.',
      accepts,
      answers: found(RuleShape, 'The rule as it is kept.'),
      handle: async (call) =>
        jsonText(await call.tenant.notifications.replaceRule(id(call), textOf(call), pipeOf(call))),
    }),
    route({
      ...shared,
      action: change,
      method: 'DELETE',
      path: `${path}/:rule`,
      summary: 'Removes a notification rule; what it found is over.',
      answers: found(ObjectShape, 'It is gone.'),
      handle: async (call) => {
        await call.tenant.notifications.removeRule(id(call), pipeOf(call))
        return json({})
      },
    }),
  ]
}

export const notificationRoutes: readonly Route[] = [
  ...ruleRoutes('/api/pipes/:id/notification-rules', 'of a pipe', 'pipe', ({ params }) => params.id as string),
  ...ruleRoutes('/api/notification-rules', 'of the tenant, those of single pipes among them', 'tenant', () => null),
  route({
    ...common,
    resource: 'tenant',
    action: 'read',
    method: 'GET',
    path: '/api/available-notification-rule-types',
    summary: 'The types of notification rules, with the schemas of what they take.',
    answers: given(Type.Array(ObjectShape), 'The types.'),
    handle: ({ tenant }) => jsonText(tenant.notifications.types()),
  }),
  route({
    ...common,
    resource: 'tenant',
    action: 'read',
    method: 'GET',
    path: '/api/notifications',
    summary: 'What the rules found, the newest first; its history is the dataset system:notifications.',
    query: Type.Object({
      is_ongoing: Type.Optional(Type.Boolean({ description: 'Only those that go on, or that are over.' })),
      pipe_id: text('Only those of a pipe.'),
      limit: count('Notifications at most; 100 unless said.'),
    }),
    answers: given(Type.Array(NotificationShape), 'The notifications.'),
    handle: ({ tenant, query }) => {
      const { is_ongoing, pipe_id, limit = FEW } = query
      const list = tenant.notifications.list({
        limit: Math.min(limit, MOST),
        ...(is_ongoing === undefined ? {} : { isOngoing: is_ongoing }),
        ...(pipe_id === undefined ? {} : { pipe: pipe_id }),
      })
      return jsonArray(list)
    },
  }),
  route({
    ...common,
    resource: 'tenant',
    action: 'read',
    method: 'GET',
    path: '/api/notifications/:id',
    summary: 'One notification.',
    answers: found(NotificationShape, 'The notification.'),
    handle: ({ tenant, params }) => jsonText(tenant.notifications.one(params.id as string)),
  }),
  route({
    ...common,
    resource: 'tenant',
    action: 'read',
    method: 'GET',
    path: '/api/notifications-summary',
    summary: 'How the tenant and each pipe with rules stand: ok, or failed with what goes on. JSON Pull.',
    query: Type.Object({ since: Type.Optional(Type.Integer()), limit: count('Entities at most.') }),
    answers: given(Type.Array(EntityShape), 'An entity of the tenant, and one of each pipe with rules.'),
    handle: ({ tenant, query, doors }) => {
      const { since, limit } = query
      if (tenant.dataset(SUMMARY) === undefined) return jsonText('[]')
      const body = doors.datasetEntities(tenant, SUMMARY, {
        history: false,
        deleted: true,
        reverse: false,
        ...(since === undefined ? {} : { since }),
        ...(limit === undefined ? {} : { limit }),
      })
      return jsonText(body, { headers: doors.datasetHeaders(tenant, SUMMARY) })
    },
  }),
  route({
    ...common,
    resource: 'tenant',
    action: 'operate',
    method: 'GET',
    path: '/api/notification-deliveries',
    summary: 'What is still to be sent, and what was given up of late, with why.',
    answers: given(Type.Array(ObjectShape), 'The deliveries.'),
    handle: ({ tenant }) => jsonText(tenant.notifications.deliveries()),
  }),
]
