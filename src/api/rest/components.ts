/** Single pipes and systems of a configuration: added, replaced, removed (rest-api.md §3.6, §4.1). */

import { Type } from 'typebox'
import { get } from '../../model/dict.ts'
import { isDict, isList, type Value } from '../../model/value.ts'
import { type Answer, jsonText } from '../answer.ts'
import { jsonOf, textOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { flag } from '../parameters.ts'
import { type Call, type Route, route } from '../route.ts'
import { ComponentsShape, found, ObjectShape, PipeShape, ProblemShape, SystemShape } from './shapes.ts'
import { refusalOf } from './validation.ts'

/** What there is to say of one of the two kinds. */
interface Kind {
  readonly name: 'pipe' | 'system'
  readonly tag: 'Pipes' | 'Systems'
  readonly shape: typeof PipeShape
  isTyped(type: unknown): boolean
  /** The document of one that is there. */
  document(call: Call, id: string): string | undefined
}

const PIPES: Kind = {
  name: 'pipe',
  tag: 'Pipes',
  shape: PipeShape,
  isTyped: (type) => type === 'pipe',
  document: ({ tenant }, id) => tenant.pipe(id),
}

const SYSTEMS: Kind = {
  name: 'system',
  tag: 'Systems',
  shape: SystemShape,
  isTyped: (type) => typeof type === 'string' && type.startsWith('system:'),
  document: ({ tenant }, id) => tenant.system(id),
}

const Force = Type.Object({ force: flag('Take it with its errors; what is broken stays inactive.') })
const refused = {
  400: { description: 'It has errors and nothing was changed; `validation_errors` says which.', schema: ObjectShape },
}

export const componentRoutes: readonly Route[] = [PIPES, SYSTEMS].flatMap((kind) => [
  route({
    tag: kind.tag,
    resource: kind.name,
    method: 'POST',
    path: `/api/${kind.name}s`,
    action: 'write',
    takesBulk: true,
    summary: `Adds ${kind.name}s to the configuration.`,
    query: Force,
    accepts: { 'application/json': ComponentsShape },
    answers: {
      201: { description: 'They are there.', schema: Type.Array(kind.shape) },
      ...refused,
      409: { description: 'An id is taken; nothing was changed.', schema: ProblemShape },
    },
    handle: (call) => add(call, kind),
  }),
  route({
    tag: kind.tag,
    resource: kind.name,
    method: 'DELETE',
    path: `/api/${kind.name}s/:id`,
    action: 'write',
    summary: `Removes a ${kind.name} from the configuration.`,
    answers: found(kind.shape, 'As it was.'),
    handle: (call) => remove(call, kind),
  }),
  route({
    tag: kind.tag,
    resource: kind.name,
    method: 'GET',
    path: `/api/${kind.name}s/:id/config`,
    action: 'read',
    summary: `The configuration of a ${kind.name}, exactly as it was given.`,
    answers: found(ObjectShape, 'The configuration.'),
    handle: (call) => {
      assertKnown(call, kind)
      return jsonText(call.tenant.componentText(idOf(call)) as string)
    },
  }),
  route({
    tag: kind.tag,
    resource: kind.name,
    method: 'PUT',
    path: `/api/${kind.name}s/:id/config`,
    action: 'write',
    takesBulk: true,
    summary: `Replaces the configuration of a ${kind.name}; one that is not there is added.`,
    query: Force,
    accepts: { 'application/json': ObjectShape },
    answers: { 200: { description: `The ${kind.name} as it is now.`, schema: kind.shape }, ...refused },
    handle: (call) => replace(call, kind),
  }),
])

async function add(call: Call<{ force: boolean }>, kind: Kind): Promise<Answer> {
  const value = jsonOf(call)
  const components = isList(value) ? value : [value]
  for (const component of components) {
    const id = assertOfKind(component, kind)
    if (call.tenant.componentText(id) === undefined) continue
    throw new ApiError('component-exists', `The id '${id}' is taken already; nothing was changed.`, {
      hint: `PUT /api/${kind.name}s/${encodeURIComponent(id)}/config replaces it.`,
      details: { id },
    })
  }
  const text = textOf(call)
  return put(call, isList(value) ? text : `[${text}]`, () =>
    jsonText(`[${components.map((one) => kind.document(call, assertOfKind(one, kind))).join(',')}]`, { status: 201 }),
  )
}

async function replace(call: Call<{ force: boolean }>, kind: Kind): Promise<Answer> {
  const component = jsonOf(call)
  const id = assertOfKind(component, kind)
  if (id !== idOf(call)) {
    throw new ApiError('bad-body', `The configuration has the _id '${id}', and the address says '${idOf(call)}'.`)
  }
  const present = call.tenant.componentText(id)
  if (present !== undefined && kind.document(call, id) === undefined) {
    throw new ApiError('component-exists', `The id '${id}' is taken by something else than a ${kind.name}.`)
  }
  return put(call, `[${textOf(call)}]`, () => jsonText(kind.document(call, id) as string))
}

async function put(
  { tenant, query, user }: Call<{ force: boolean }>,
  array: string,
  answer: () => Answer,
): Promise<Answer> {
  try {
    await tenant.putComponents(array, query.force, user)
    return answer()
  } catch (error) {
    return refusalOf(error)
  }
}

async function remove(call: Call, kind: Kind): Promise<Answer> {
  const document = assertKnown(call, kind)
  await call.tenant.removeComponent(idOf(call), call.user)
  return jsonText(document)
}

function assertKnown(call: Call, kind: Kind): string {
  const document = kind.document(call, idOf(call))
  if (document === undefined) {
    throw new ApiError(`unknown-${kind.name}`, `There is no ${kind.name} '${idOf(call)}'.`)
  }
  return document
}

/** Gives its id. */
function assertOfKind(component: Value, kind: Kind): string {
  const id = isDict(component) ? get(component, '_id') : undefined
  if (typeof id !== 'string' || id === '') {
    throw new ApiError('bad-body', `Each ${kind.name} is a JSON object with a string '_id'.`)
  }
  const type = get(component as Parameters<typeof get>[0], 'type')
  if (kind.isTyped(type)) return id
  const wanted = kind.name === 'pipe' ? "'pipe'" : "'system:…'"
  throw new ApiError('bad-body', `'${id}' is no ${kind.name}: its type must be ${wanted}.`, { details: { id } })
}

const idOf = (call: Call): string => call.params.id as string
