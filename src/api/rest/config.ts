/** The configuration and the variables it uses: read and replaced as a whole (rest-api.md §3.3, §3.4). */

import { Type } from 'typebox'
import type { Problem } from '../../config/problems.ts'
import { get } from '../../model/dict.ts'
import { writeJson } from '../../model/json.ts'
import { isDict, isList, type Value } from '../../model/value.ts'
import { choose } from '../accept.ts'
import { type Answer, jsonText } from '../answer.ts'
import { jsonOf, textOf, uploadOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { flag } from '../parameters.ts'
import { problemOf } from '../problem.ts'
import { type Call, type Route, route } from '../route.ts'
import { ComponentsShape, given, ObjectShape } from './shapes.ts'

const common = { tag: 'Configuration', resource: 'config' } as const

export const configRoutes: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    path: '/api/config',
    action: 'read',
    summary: 'All components, each exactly as it was given.',
    answers: given(ComponentsShape, 'The configuration.'),
    handle: ({ tenant, headers }) => {
      if (choose(headers.accept as string | undefined, ['application/json']) === undefined) {
        throw new ApiError('not-acceptable', 'The configuration is given as application/json only by this version.')
      }
      return jsonText(tenant.configText())
    },
  }),
  route({
    ...common,
    method: 'PUT',
    path: '/api/config',
    action: 'write',
    takesBulk: true,
    summary: 'Replaces the whole configuration; what is not in it is removed.',
    query: Type.Object({ force: flag('Take it with its errors; broken components stay inactive.') }),
    accepts: { 'application/json': ComponentsShape },
    answers: {
      ...given(ObjectShape, 'It is in use; `validation_errors` holds the warnings.'),
      400: { description: 'It has errors and nothing was changed.', schema: ObjectShape },
    },
    handle: replaceConfig,
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/env',
    action: 'read',
    summary: 'The environment variables.',
    answers: given(ObjectShape, 'Name and value of each.'),
    handle: ({ tenant }) => jsonText(tenant.env()),
  }),
  route({
    ...common,
    method: 'PUT',
    path: '/api/env',
    action: 'write',
    summary: 'Replaces all environment variables.',
    accepts: { 'application/json': ObjectShape },
    answers: given(ObjectShape, 'The variables as they are now.'),
    handle: async (call) => {
      if (!isDict(jsonOf(call)))
        throw new ApiError('bad-body', 'The variables must be a JSON object of name and value.')
      await call.tenant.replaceEnv(textOf(call))
      return jsonText(call.tenant.env())
    },
  }),
]

async function replaceConfig(call: Call<{ force: boolean }>): Promise<Answer> {
  const body = await uploadOf(call)
  if (body[0] === 0x50 && body[1] === 0x4b) {
    throw new ApiError('not-supported', 'A configuration as a zip file is not supported by this version.', {
      hint: 'Send a JSON array of all components.',
    })
  }
  const value = jsonOf({ body })
  const components = isList(value) ? value : [value]
  if (!components.every(isDict)) {
    throw new ApiError('bad-body', 'The configuration must be a JSON array of components, each an object.')
  }
  const text = textOf({ body })
  try {
    const warnings = await call.tenant.replaceConfig(isList(value) ? text : `[${text}]`, call.query.force)
    return jsonText(`{"validation_errors":${rejections(warnings, components)}}`)
  } catch (error) {
    if (!REFUSALS.has((error as { code?: unknown }).code)) throw error
    const problem = problemOf(error)
    const { problems } = error as { problems?: readonly Problem[] }
    const rest = JSON.stringify(problem.body).slice(1)
    return jsonText(`{"validation_errors":${rejections(problems ?? [], components)},${rest}`, {
      status: problem.status,
    })
  }
}

/** Refusals that clients are told in the shape of rest-api.md §3.4. */
const REFUSALS: ReadonlySet<unknown> = new Set(['config-rejected', 'config-breaker-tripped'])

/** Problems by component, each with the component as it was posted (rest-api.md §2.5). */
function rejections(problems: readonly Problem[], components: readonly Value[]): string {
  const ids = [...new Set(problems.map(({ component }) => component))]
  const texts = ids.map((id) => {
    const posted = components.find((component) => isDict(component) && get(component, '_id') === id)
    const errors = problems
      .filter(({ component }) => component === id)
      .map(({ level, message, hint, pointer }) => ({
        level,
        msg: hint === undefined ? message : `${message} ${hint}`,
        elements: elementsOf(pointer),
      }))
    const config = posted === undefined ? JSON.stringify({ _id: id }) : writeJson(posted, { transit: false })
    return `{"posted-config":${config},"config-errors":${JSON.stringify(errors)}}`
  })
  return `[${texts.join(',')}]`
}

/** `/source/type` as older clients write a path: `$['source']['type']`. */
function elementsOf(pointer: string): string {
  const steps = pointer.split('/').slice(1)
  const names = steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
  return `$${names.map((name) => (/^\d+$/.test(name) ? `[${name}]` : `['${name.replaceAll("'", "\\'")}']`)).join('')}`
}
