/** Where others push entities to: JSON Push (rest-api.md §7). */

import { type Static, Type } from 'typebox'
import type { PushParameters, ReceiveAnswer } from '../../hub/contract.ts'
import { type Answer, jsonText } from '../answer.ts'
import { ApiError } from '../errors.ts'
import { begin, piecesOf, readOn } from '../long-body.ts'
import { flag, text } from '../parameters.ts'
import { problemOf } from '../problem.ts'
import { type Call, type Route, route } from '../route.ts'
import { sentForm, TRANSIT_TYPE } from '../text-form.ts'
import { EntityShape, ObjectShape, ProblemShape } from './shapes.ts'

const PushQuery = Type.Object({
  sequence_id: text('Names the sync that this request belongs to.'),
  is_full: flag('The sync holds everything: what is not in it is deleted at its end.'),
  request_id: text('Names this request within the sequence.'),
  previous_request_id: text('`request_id` of the request before.'),
  is_first: flag('First request of a full sync.'),
  is_last: flag('Last request of a full sync.'),
})

export const receiverRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/api/receivers/:id/entities',
    tag: 'Receivers and publishers',
    action: 'write',
    resource: 'pipe',
    access: 'write_data',
    takesBulk: true,
    takesLong: true,
    summary: 'Takes entities for a pipe; the answer comes when they are on disk.',
    query: PushQuery,
    accepts: {
      'application/json': Type.Union([Type.Array(EntityShape), EntityShape]),
      [TRANSIT_TYPE]: Type.Array(Type.Any()),
    },
    answers: {
      200: { description: 'All of them are stored.', schema: ObjectShape },
      400: { description: 'The body is not JSON, or an entity has no `_id`.', schema: ProblemShape },
      409: {
        description: 'It does not fit into its sequence, an entity is stale, or the circuit breaker tripped.',
        schema: ProblemShape,
      },
    },
    handle: async (call) => {
      try {
        const { updated } = await taken(call, pushOf(call))
        return jsonText(updated === null ? '{}' : `{"updated_entity":${updated}}`)
      } catch (error) {
        return conflictOf(error)
      }
    },
  }),
]

type PushCall = Call<Static<typeof PushQuery>>

function pushOf(call: PushCall): PushParameters {
  const { query, headers, requestId } = call
  const form = sentForm(call)
  return {
    cause: requestId,
    isFull: query.is_full,
    isFirst: query.is_first,
    isLast: query.is_last,
    ...(query.sequence_id === undefined ? {} : { sequenceId: query.sequence_id }),
    ...(query.request_id === undefined ? {} : { requestId: query.request_id }),
    ...(query.previous_request_id === undefined ? {} : { previousRequestId: query.previous_request_id }),
    ...completenessOf(headers['x-dataset-completeness']),
    ...(form === 'json' ? {} : { form }),
  }
}

/** A long body goes on piece by piece where the pipe stores it so; otherwise it is read first. */
async function taken({ tenant, params, body, incoming }: PushCall, push: PushParameters): Promise<ReceiveAnswer> {
  const id = params.id as string
  if (incoming === null) return tenant.receive(id, body, push)
  const begun = await begin(incoming)
  if (begun.rest !== null && tenant.takesLong(id)) return tenant.receiveLong(id, piecesOf(begun), push)
  return tenant.receive(id, await readOn(begun, incoming), push)
}

/** A stale entity, with what its sender needs for a three-way merge (rest-api.md §7.6); any other error as it is. */
function conflictOf(error: unknown): Answer {
  const { code, details = {} } = error as { code?: unknown; details?: Readonly<Record<string, unknown>> }
  if (code !== 'stale-entity') throw error
  const { status, body } = problemOf(error)
  const { input = null, existing = null, ancestor = null, ...rest } = details
  const problem = JSON.stringify({ ...body, details: rest })
  // The entities are JSON texts already: no digit of theirs is lost.
  const entities = `"input_entity":${input},"existing_entity":${existing},"common_ancestor_entity":${ancestor}`
  return jsonText(`${problem.slice(0, -1)},${entities}}`, { status })
}

function completenessOf(header: string | readonly string[] | undefined): { completeness?: number } {
  if (header === undefined || header === '') return {}
  const completeness = Number(header)
  if (!Number.isSafeInteger(completeness)) {
    throw new ApiError(
      'bad-request',
      `The header X-Dataset-Completeness must be microseconds since 1970, not '${header}'.`,
    )
  }
  return { completeness }
}
