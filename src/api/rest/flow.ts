/** The flow map: what feeds what, what waits, how long changes take. */

import { type TSchema, Type } from 'typebox'
import { jsonText } from '../answer.ts'
import { type Route, route } from '../route.ts'
import { given } from './shapes.ts'

const nullable = (type: TSchema) => Type.Union([type, Type.Null()])
const Queue = Type.Record(Type.String(), Type.Integer())

const FlowShape = Type.Object(
  {
    pipes: Type.Array(
      Type.Object({
        id: Type.String(),
        valid: Type.Boolean(),
        category: nullable(Type.Enum(['inbound', 'internal', 'outbound', 'receiver', 'publisher'])),
        level: nullable(Type.Integer({ description: 'It stands after all pipes of lower levels that it reads from.' })),
        exact: nullable(Type.Boolean()),
        out_of_sync: Type.Array(Type.String()),
        queue: nullable(
          Type.Object({ source: Queue, hops: Queue }, { description: 'By dataset, changes not taken in.' }),
        ),
        waiting_seconds: nullable(Type.Number({ description: 'For how long the oldest of them has waited.' })),
      }),
    ),
    datasets: Type.Array(
      Type.Object({
        id: Type.String(),
        writer: nullable(Type.String()),
        entities: nullable(Type.Integer()),
        populated: nullable(Type.Boolean()),
        is_end: Type.Boolean({ description: 'No pipe reads it.' }),
        lag_seconds: nullable(
          Type.Number({ description: 'From a change where the hub first stores it to its effect here, at the last.' }),
        ),
      }),
    ),
    systems: Type.Array(Type.Object({ id: Type.String() })),
    edges: Type.Array(
      Type.Object({
        from: Type.String({ description: 'A node, such as `dataset:person`, `pipe:person` or `system:crm`.' }),
        to: Type.String(),
        as: Type.Enum(['source', 'merge', 'hop', 'lookup', 'sink']),
      }),
    ),
    cycles: Type.Array(Type.Array(Type.String()), { description: 'Pipes that feed one another.' }),
  },
  { description: 'The flow map.' },
)

export const flowRoute: Route = route({
  tag: 'Pipes',
  resource: 'tenant',
  action: 'read',
  method: 'GET',
  path: '/api/flow',
  summary: 'What feeds what: pipes, datasets and systems, with queues, lag and circles.',
  answers: given(FlowShape, 'The map.'),
  handle: ({ tenant }) => jsonText(tenant.flow()),
})
