/** In which text entities are wanted, and in which they are sent: JSON, or transit+json (rest-api.md §1.3). */

import type { TextForm } from '../hub/contract.ts'
import { choose } from './accept.ts'
import type { Answer } from './answer.ts'
import { mediaType } from './body.ts'
import type { Call } from './route.ts'

export const TRANSIT_TYPE = 'application/transit+json'

/** JSON unless the caller likes transit better; who accepts neither gets JSON, as ever. */
export function wantedForm({ headers }: Pick<Call, 'headers'>): TextForm {
  const { accept } = headers
  const liked = choose(typeof accept === 'string' ? accept : undefined, ['application/json', TRANSIT_TYPE])
  return liked === TRANSIT_TYPE ? 'transit' : 'json'
}

export const sentForm = ({ contentType }: Pick<Call, 'contentType'>): TextForm =>
  mediaType(contentType) === TRANSIT_TYPE ? 'transit' : 'json'

/** Entities as an answer, which says that another form could have been asked for. */
export const entityText = (
  form: TextForm,
  body: Answer['body'],
  headers: Readonly<Record<string, string>> = {},
): Answer => ({
  contentType: `${form === 'transit' ? TRANSIT_TYPE : 'application/json'}; charset=utf-8`,
  headers: { ...headers, Vary: 'Accept' },
  body,
})
