/** What whoever may not do something is told: 401 to those who have not shown who they are, 403 to the rest. */

import { isAnonymous } from '../hub/access/permission.ts'
import { ApiError } from './errors.ts'
import type { Access, Caller } from './may.ts'

export function refusal(caller: Caller, access: Access): ApiError {
  switch (caller.kind) {
    case 'principal':
      return isAnonymous(caller.principal) ? unauthorized() : lacking(access)
    case 'link':
      return new ApiError('forbidden', 'This link opens what it was made for, and nothing else.')
    case 'local':
      return new ApiError('forbidden', 'Nobody may do this.')
    case 'elsewhere':
      return new ApiError('forbidden', `This hub answers only callers on its own machine: ${caller.why}.`, {
        hint: 'Use http://127.0.0.1 or http://localhost from the machine it runs on. On a network it runs without --developer.',
      })
  }
}

const unauthorized = (): ApiError =>
  new ApiError('unauthorized', 'Show who you are: this needs a token.', {
    hint: 'Send the header `Authorization: Bearer <token>`. `samtale token create` makes one, POST /api/jwt gives one for a password, /login is for browsers.',
  })

const lacking = (access: Access): ApiError =>
  new ApiError('forbidden', `You may not do this: it needs the permission '${access}'.`, {
    hint: 'Ask an administrator for a role that has it, or for a permission of this one thing.',
    details: { permission: access },
  })
