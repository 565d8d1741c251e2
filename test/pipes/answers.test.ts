import { expect, it } from 'vitest'
import { accepted } from '../../src/pipes/answers.ts'
import type { SystemPort, SystemResponse } from '../../src/pipes/systems/contract.ts'

const port = { mask: (text: string) => text } as unknown as SystemPort

const answer = (status: number, retryAfter?: string): SystemResponse => ({
  status,
  headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
  address: 'http://s/',
  body: (async function* () {})(),
  text: async () => '',
})

const detailsOf = async (response: SystemResponse) =>
  accepted(port, 'POST', response).then(
    () => null,
    (error: { details: Record<string, unknown> }) => error.details,
  )

it.each([
  [429, '7', 7],
  [503, '0', 0],
  [503, 'Thu, 01 Jan 1970 00:00:00 GMT', 0],
  [429, 'soon', undefined],
  [429, undefined, undefined],
  [500, '7', undefined],
])('an answer of %i with Retry-After %s asks for a pause of %s seconds', async (status, retryAfter, seconds) => {
  expect((await detailsOf(answer(status, retryAfter)))?.retryAfterSeconds).toBe(seconds)
})
