/** Addresses under which somebody without a token reads one publisher (rest-api.md §10.4). */

import { Type } from 'typebox'
import type { PublisherForm, ShareableLink } from '../../hub/contract.ts'
import { get } from '../../model/dict.ts'
import { isDict } from '../../model/value.ts'
import { type Answer, json, jsonText } from '../answer.ts'
import { jsonOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { type Call, type Route, route } from '../route.ts'
import { found, ObjectShape, ProblemShape } from './shapes.ts'

const LinkShape = Type.Object({
  id: Type.String(),
  urls: Type.Array(Type.String(), {
    description: 'With the word that opens them when the link is made; afterwards without it: nobody knows it.',
  }),
  exp: Type.Integer({ description: 'Seconds since 1970.' }),
  created_ts: Type.Integer({ description: 'Nanoseconds since 1970.' }),
  description: Type.String(),
})

const NewLink = Type.Object({
  exp: Type.Optional(Type.Integer({ description: 'Seconds since 1970; in a year unless said.' })),
  description: Type.Optional(Type.String()),
})

const common = { tag: 'Receivers and publishers', resource: 'pipe' } as const
const FORMS: readonly PublisherForm[] = ['entities', 'csv', 'xml', 'excel']

export const shareableLinkRoutes: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    path: '/api/publishers/:id/shareable-links',
    action: 'administer',
    summary: 'The links to what a pipe publishes that are valid now.',
    answers: found(Type.Array(LinkShape), 'The links, without the words that open them.'),
    handle: (call) => {
      formsOf(call)
      const links = call.tenant.shareableLinks(pipeId(call)).map((link) => linkText(call, link))
      return jsonText(`[${links.join(',')}]`)
    },
  }),
  route({
    ...common,
    method: 'POST',
    path: '/api/publishers/:id/shareable-links',
    action: 'administer',
    summary: 'Makes a link by which whoever has it reads this publisher, and nothing else, until a day.',
    accepts: { 'application/json': NewLink },
    answers: {
      ...found(LinkShape, 'The link; only now with the word that opens it.'),
      400: { description: 'The time is over.', schema: ProblemShape },
    },
    handle: async (call) => {
      formsOf(call)
      const link = await call.tenant.shareLink(pipeId(call), wanted(call))
      const opened = { id: link.id, tenant: call.tenant.name, pipe: pipeId(call), expires: link.exp * 1_000 }
      return jsonText(linkText(call, link, await call.node.access.linkText(opened)))
    },
  }),
  route({
    ...common,
    method: 'DELETE',
    path: '/api/publishers/:id/shareable-links/:link',
    action: 'administer',
    summary: 'Takes a link back: it opens nothing any more.',
    answers: found(ObjectShape, 'It is gone.'),
    handle: async (call): Promise<Answer> => {
      formsOf(call)
      const { link = '' } = call.params
      if (await call.tenant.revokeLink(pipeId(call), link)) return json({})
      throw new ApiError('unknown-link', `Pipe '${pipeId(call)}' has no link '${link}'.`)
    },
  }),
]

const pipeId = (call: Call): string => call.params.id as string

/** The forms in which the pipe publishes; throws where it does in none. */
function formsOf({ tenant, params }: Call): readonly PublisherForm[] {
  const id = params.id as string
  const forms = FORMS.filter((form) => tenant.publishes(id, form))
  if (forms.length > 0) return forms
  throw new ApiError('not-a-publisher', `Pipe '${id}' publishes nothing.`)
}

function wanted(call: Call): { exp?: number; description?: string } {
  const body = call.body.length === 0 ? null : jsonOf(call)
  if (body !== null && !isDict(body)) throw new ApiError('bad-body', 'The body must be a JSON object.')
  const exp = body === null ? undefined : (get(body, 'exp') ?? undefined)
  const description = body === null ? undefined : (get(body, 'description') ?? undefined)
  if (exp !== undefined && typeof exp !== 'number') throw new ApiError('bad-request', "'exp' must be a whole number.")
  if (description !== undefined && typeof description !== 'string') {
    throw new ApiError('bad-request', "'description' must be a string.")
  }
  return { ...(exp === undefined ? {} : { exp }), ...(description === undefined ? {} : { description }) }
}

/** JSON by hand: nanoseconds are more digits than a number of JavaScript holds. */
function linkText(call: Call, { id, exp, createdTs, description }: ShareableLink, token?: string): string {
  const word = token === undefined ? '' : `?jwt=${token}`
  const urls = formsOf(call).map(
    (form) => `${call.origin}${call.prefix}/api/publishers/${encodeURIComponent(pipeId(call))}/${form}${word}`,
  )
  const rest = JSON.stringify({ id, urls, exp, description })
  return `${rest.slice(0, -1)},"created_ts":${createdTs}}`
}
