/** Secrets (rest-api.md §3.5): they are set and removed, and only their names are ever told. */

import { Type } from 'typebox'
import { entries } from '../../model/dict.ts'
import { isDict } from '../../model/value.ts'
import { type Answer, json } from '../answer.ts'
import { jsonOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { flag } from '../parameters.ts'
import { type Call, type Route, route } from '../route.ts'
import { found, given, ObjectShape } from './shapes.ts'

const Names = Type.Array(Type.String(), { description: 'Their names.' })
const Values = Type.Record(Type.String(), Type.String(), { description: 'Name and value of each.' })
const encrypt = Type.Object({ encrypt: flag('For clients that ask: they are stored encrypted in any case.', true) })

/** All may be used by every system; those of one system go before them. */
function doorsOf(path: string, of: string, place: Pick<Route, 'tag' | 'resource'>): readonly Route[] {
  const answers = path.includes(':id') ? found(Names, 'The names.') : given(Names, 'The names.')
  const common = { ...place, answers } as const
  const body = { accepts: { 'application/json': Values }, query: encrypt } as const
  return [
    route({
      ...common,
      method: 'GET',
      path,
      action: 'read',
      summary: `Names of ${of}; the values are never told.`,
      handle: (call) => names(call),
    }),
    route({
      ...common,
      ...body,
      method: 'PUT',
      path,
      action: 'write',
      summary: `Replaces ${of}: those that are not sent go.`,
      handle: (call) => set(call, true),
    }),
    route({
      ...common,
      ...body,
      method: 'POST',
      path,
      action: 'write',
      summary: `Sets some of ${of}; the others stay.`,
      handle: (call) => set(call, false),
    }),
    route({
      ...common,
      method: 'DELETE',
      path: `${path}/:key`,
      action: 'write',
      summary: `Removes one of ${of}.`,
      handle: async (call) => {
        await call.tenant.secrets.delete(systemOf(call), call.params.key as string)
        return names(call)
      },
    }),
    route({
      ...place,
      method: 'GET',
      path: `${path}_values`,
      action: 'administer',
      summary: 'Refused: values of secrets are never told.',
      answers: { 403: { description: 'Always.', schema: ObjectShape } },
      handle: () => {
        throw new ApiError('secrets-write-only', 'The values of secrets are never told.', {
          hint: 'Set a secret again when its value is not known any more.',
        })
      },
    }),
  ]
}

export const secretRoutes: readonly Route[] = [
  ...doorsOf('/api/secrets', 'the global secrets', { tag: 'Configuration', resource: 'config' }),
  ...doorsOf('/api/systems/:id/secrets', 'the secrets of a system', { tag: 'Systems', resource: 'system' }),
]

const systemOf = ({ params }: Call<unknown>): string | null => params.id ?? null

const names = (call: Call<unknown>): Answer => json(call.tenant.secrets.names(systemOf(call)))

async function set(call: Call<unknown>, isWhole: boolean): Promise<Answer> {
  await call.tenant.secrets.set(systemOf(call), valuesOf(call), isWhole)
  return names(call)
}

/** No message says anything of a value. */
function valuesOf(call: Call<unknown>): ReadonlyMap<string, string> {
  const value = jsonOf(call)
  if (!isDict(value)) throw new ApiError('bad-body', 'Secrets are a JSON object of name and value.')
  const values = new Map<string, string>()
  for (const [name, secret] of entries(value)) {
    if (typeof secret !== 'string') throw new ApiError('bad-secret', `The secret '${name}' must be a string.`)
    values.set(name, secret)
  }
  return values
}
