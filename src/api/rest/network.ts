/** Who may come in, by address, and what may be asked of the hub at most. */

import { Type } from 'typebox'
import { NetworkPolicy, networkPolicySchema, readNetworkPolicy } from '../../config/network-policy.ts'
import { toPlain } from '../../model/json.ts'
import { json } from '../answer.ts'
import { jsonOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import type { Guard } from '../limits/guard.ts'
import { kindsOfWork, limitNames, limitTable } from '../limits/limits.ts'
import { flag } from '../parameters.ts'
import { type Route, route } from '../route.ts'
import { given, ProblemShape } from './shapes.ts'

const common = { tag: 'Node', resource: 'node', isNodeOnly: true } as const

const LimitsShape = Type.Object({
  limits: Type.Record(
    Type.String(),
    Type.Object({ value: Type.Number(), default: Type.Number(), about: Type.String() }),
  ),
  connections: Type.Integer(),
  requests: Type.Record(Type.String(), Type.Object({ in: Type.Integer(), waiting: Type.Integer() })),
  refused: Type.Record(Type.String(), Type.Integer()),
})

export const networkRoutes = (guard: Guard): readonly Route[] => [
  route({
    ...common,
    method: 'GET',
    path: '/api/network-policy',
    action: 'administer',
    summary: 'Addresses that may come in, and proxies that are believed.',
    answers: given(networkPolicySchema, 'The policy.'),
    handle: ({ node }) => json(node.network().document),
  }),
  route({
    ...common,
    method: 'PUT',
    path: '/api/network-policy',
    action: 'administer',
    summary: 'Replaces the policy; it holds from the next request on.',
    query: Type.Object({ force: flag('Also when it shuts out whoever sends it.') }),
    accepts: { 'application/json': networkPolicySchema },
    answers: {
      ...given(networkPolicySchema, 'The policy as it is now.'),
      400: { description: 'It is not a policy; `details.problems` says all that is wrong.', schema: ProblemShape },
      409: { description: 'It would shut out whoever sends it.', schema: ProblemShape },
    },
    handle: (call) => {
      const { policy, problems } = readNetworkPolicy(toPlain(jsonOf(call)))
      if (problems.length > 0) {
        const told = problems.map(({ pointer, message, hint }) => ({
          pointer,
          message,
          ...(hint === undefined ? {} : { hint }),
        }))
        throw new ApiError('bad-network-policy', `The network policy is wrong: ${told[0]?.message}`, {
          hint: 'Nothing was changed.',
          details: { problems: told },
        })
      }
      if (!call.query.force && !new NetworkPolicy(policy).admits(call.from.address)) {
        throw new ApiError('would-lock-out', 'With this policy the address that sends it would be refused.', {
          hint: 'Add it to allow, or say force=true.',
          details: { address: call.from.text },
        })
      }
      call.node.replaceNetwork(policy)
      return json(policy)
    },
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/limits',
    action: 'read',
    summary: 'What may be asked of the hub at most, and how much it is at the moment.',
    answers: given(LimitsShape, 'Limits, connections, requests, and how many were refused for what.'),
    handle: () => json(limitsDocument(guard)),
  }),
]

const limitsDocument = ({ limits, connections, gate, refusals }: Guard) => ({
  limits: Object.fromEntries(limitNames.map((name) => [name, { value: limits[name], ...limitTable[name] }])),
  connections: connections.open,
  requests: Object.fromEntries(
    kindsOfWork.map((work) => {
      const { atOnce, waiting } = gate.figures(work)
      return [work, { in: atOnce, waiting }]
    }),
  ),
  refused: Object.fromEntries(refusals.counts()),
})
