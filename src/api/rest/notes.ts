/** What people note of pipes, systems and datasets: any JSON object of each (rest-api.md §3.6, §4.1, §5.1). */

import { writeJson } from '../../model/json.ts'
import { isDict } from '../../model/value.ts'
import { jsonText } from '../answer.ts'
import { jsonOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { type Call, type Route, route } from '../route.ts'
import { found, ObjectShape } from './shapes.ts'

const KINDS = [
  { of: 'pipe', tag: 'Pipes', isThere: ({ tenant, params }: Call) => tenant.pipeConfigText(params.id as string) },
  { of: 'system', tag: 'Systems', isThere: ({ tenant, params }: Call) => tenant.system(params.id as string) },
  { of: 'dataset', tag: 'Datasets', isThere: ({ tenant, params }: Call) => tenant.dataset(params.id as string) },
] as const

export const noteRoutes: readonly Route[] = KINDS.flatMap(({ of, tag, isThere }) => {
  const assertKnown = (call: Call): string => {
    const id = call.params.id as string
    if (isThere(call) === undefined) throw new ApiError(`unknown-${of}`, `There is no ${of} '${id}'.`)
    return id
  }
  const common = {
    tag,
    resource: of,
    path: `/api/${of}s/:id/metadata`,
    answers: found(ObjectShape, 'The notes.'),
  } as const
  return [
    route({
      ...common,
      method: 'GET',
      action: 'read',
      summary: `What was noted of the ${of}: any object. Its configuration has other metadata.`,
      handle: (call) => jsonText(call.tenant.note(of, assertKnown(call))),
    }),
    route({
      ...common,
      method: 'PUT',
      action: 'write',
      summary: `Notes something of the ${of}; the hub keeps it and does nothing with it.`,
      accepts: { 'application/json': ObjectShape },
      handle: async (call) => {
        const id = assertKnown(call)
        const notes = jsonOf(call)
        if (!isDict(notes)) throw new ApiError('bad-body', 'Notes are a JSON object.')
        await call.tenant.saveNote(of, id, writeJson(notes, { transit: false }))
        return jsonText(call.tenant.note(of, id))
      },
    }),
  ]
})
