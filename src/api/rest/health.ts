/** Whether the hub is well: for balancers and supervisors, who need no token, and for people, who are told why (rest-api.md §3.1). */

import { Type } from 'typebox'
import type { Health, Reason } from '../../hub/health/reason.ts'
import { type Answer, json } from '../answer.ts'
import { may } from '../may.ts'
import { type Call, type Route, route } from '../route.ts'

const common = { method: 'GET', tag: 'Node', action: 'read', resource: 'node', isOpen: true } as const

const ReasonShape = Type.Object(
  {
    code: Type.String({ description: 'Stable name of the matter.' }),
    severity: Type.String({ description: 'dead, not-ready or unwell.' }),
    message: Type.Optional(Type.String()),
    hint: Type.Optional(Type.String({ description: 'What to do about it.' })),
    tenant: Type.Optional(Type.String()),
  },
  { description: 'Why; who may not run the node is told the code only.' },
)

const HealthShape = Type.Object({
  status: Type.String({ description: 'healthy or unhealthy.' }),
  live: Type.Boolean(),
  ready: Type.Boolean(),
  reasons: Type.Array(ReasonShape),
})

const answers = (well: string, unwell: string) => ({
  200: { description: well, schema: HealthShape },
  503: { description: unwell, schema: HealthShape },
})

export const healthRoutes: readonly Route[] = [
  route({
    ...common,
    path: '/api/health',
    summary: 'Whether anybody has to look at the hub; 503 with the reasons when so.',
    answers: answers('All is well.', 'Somebody has to look; `reasons` say at what.'),
    handle: (call) => answer(call, ({ isWell }) => isWell),
  }),
  route({
    ...common,
    path: '/api/health/ready',
    summary: 'Whether the hub answers as it should; 503 when requests had better go elsewhere.',
    answers: answers('It does.', 'It does not at the moment.'),
    handle: (call) => answer(call, ({ isReady }) => isReady),
  }),
  route({
    ...common,
    path: '/api/health/live',
    summary: 'Whether the hub goes on by itself; 503 when only a restart helps.',
    answers: answers('It does.', 'It does not.'),
    handle: (call) => answer(call, ({ isLive }) => isLive),
  }),
]

async function answer(call: Call, isWell: (health: Health) => boolean): Promise<Answer> {
  const { node, tenant, prefix, caller } = call
  const health = await node.health(prefix === '' ? null : tenant.name)
  const isTold = may(caller, 'operate', { kind: 'node', tenant: tenant.name })
  const { isWell: isAllWell, isLive, isReady, reasons } = health
  return json(
    {
      status: isAllWell ? 'healthy' : 'unhealthy',
      live: isLive,
      ready: isReady,
      reasons: isTold ? reasons.map(told) : codesOf(reasons),
    },
    isWell(health) ? 200 : 503,
  )
}

const told = ({ tenant, ...reason }: Reason) => ({ ...reason, ...(tenant === null ? {} : { tenant }) })

/** Whoever passes by learns no paths, no names and no figures. */
const codesOf = (reasons: readonly Reason[]) =>
  [...new Map(reasons.map((reason) => [reason.code, reason])).values()].map(({ code, severity }) => ({
    code,
    severity,
  }))
