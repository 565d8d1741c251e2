/** OPTIONS with a webhook: another hub asks to be told when a dataset grows (rest-api.md §5.5). */

import { type Static, Type } from 'typebox'
import type { Answer } from '../answer.ts'
import { ApiError } from '../errors.ts'
import { text, whole } from '../parameters.ts'
import type { Call } from '../route.ts'

export const subscriptionQuery = Type.Object({
  webhook: text('Address that is posted to when there is more.'),
  token: text('Goes along with each call, as `{"token": …}`.'),
  since: whole('Only what has a greater `_updated` is news; absent: what comes from now on.'),
})

export const optionsAnswers = {
  200: { description: 'The methods, in the header Allow.', schema: Type.String(), type: 'text/plain' },
  404: { description: 'It is unknown.' },
}

/** `allow`: the methods there are. */
export function options(call: Call<Static<typeof subscriptionQuery>>, dataset: string, allow: string): Answer {
  const { webhook, token, since } = call.query
  if (webhook !== undefined && !token) {
    throw new ApiError('bad-parameter', "The parameter 'webhook' needs a 'token'.", {
      hint: 'It is posted to the webhook, so that the receiver knows that it asked.',
    })
  }
  if (webhook !== undefined && token) {
    call.tenant.subscribe({ dataset, url: webhook, token, since: since ?? null })
  }
  return { contentType: 'text/plain; charset=utf-8', headers: { allow }, body: allow }
}
