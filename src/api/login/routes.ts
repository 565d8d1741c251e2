/** How people come in with a password: a cookie for browsers, a token for programs (rest-api.md §3.1). */

import { Type } from 'typebox'
import { choose } from '../accept.ts'
import type { Answer } from '../answer.ts'
import { assertSameSite, noCookie, sessionCookie } from '../authenticate.ts'
import { fieldsOf } from '../body.ts'
import { ApiError } from '../errors.ts'
import { text } from '../parameters.ts'
import { problemOf } from '../problem.ts'
import { ProblemShape } from '../rest/shapes.ts'
import { type Call, type Route, route } from '../route.ts'
import { accountPage, localPath, loginPage } from './page.ts'
import { type Passwords, tell } from './passwords.ts'

const Credentials = Type.Object({ email: Type.String(), password: Type.String() })
const accepts = { 'application/x-www-form-urlencoded': Credentials, 'application/json': Credentials }
const refusals = {
  401: { description: 'There is no such account with this password.', schema: ProblemShape },
  429: { description: 'Too many failed logins; come back after `Retry-After`.', schema: ProblemShape },
}
const common = { tag: 'Access', resource: 'node', access: 'public', isNodeOnly: true } as const

/** `authenticates` is false where nobody need log in. */
export function loginRoutes(authenticates: boolean, passwords: Passwords): readonly Route[] {
  const assertNeeded = (): void => {
    if (authenticates) return
    throw new ApiError('not-found', 'Nobody need log in: this hub runs without authentication.')
  }
  return [
    route({
      ...common,
      method: 'POST',
      path: '/api/jwt',
      action: 'write',
      summary: 'A token for an e-mail address and a password.',
      accepts,
      answers: { 200: { description: 'The token.', schema: Type.String(), type: 'text/plain' }, ...refusals },
      handle: async (call) => {
        const { email, password } = await credentialsOf(call)
        const user = await passwords.check(call, email, password)
        return {
          contentType: 'text/plain; charset=utf-8',
          headers: { 'Cache-Control': 'no-store' },
          body: await call.node.access.session(user),
        }
      },
    }),
    route({
      ...common,
      method: 'GET',
      path: '/login',
      action: 'read',
      summary: 'The page to log in on; for who has, the one to log out.',
      query: Type.Object({ next: text('Path to go to afterwards.') }),
      answers: { 200: { description: 'A page.', schema: Type.String(), type: 'text/html' } },
      handle: (call) => {
        assertNeeded()
        const { caller } = call
        const isIn = caller.kind === 'principal' && caller.isByCookie
        if (isIn && call.query.next === undefined) return page(accountPage(call.user.email ?? call.user.user_id ?? ''))
        return page(loginPage({ next: localPath(call.query.next), problem: null }))
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/login',
      action: 'write',
      summary: 'Logs a browser in: sets a cookie.',
      accepts,
      answers: { 303: { description: 'Logged in; go there.' }, ...refusals },
      handle: (call) => {
        assertNeeded()
        return login(call, passwords)
      },
    }),
    route({
      ...common,
      method: 'POST',
      path: '/logout',
      action: 'write',
      summary: 'Makes the token or the cookie of the caller void.',
      answers: { 303: { description: 'Logged out.' } },
      handle: (call) => {
        assertNeeded()
        return logout(call)
      },
    }),
  ]
}

async function login(call: Call, passwords: Passwords): Promise<Answer> {
  // A page of another site could log a browser in as somebody else.
  if (call.headers.origin !== undefined) assertSameSite(call)
  const { email, password, next } = await credentialsOf(call)
  try {
    const user = await passwords.check(call, email, password)
    const token = await call.node.access.session(user)
    return seeOther(localPath(next), sessionCookie(call.from, token))
  } catch (error) {
    if (!wantsPage(call)) throw error
    const { status, headers, body } = problemOf(error)
    const shown = loginPage({ next: localPath(next), problem: String(body.message) })
    return { ...page(shown), status, headers: { ...shown.headers, ...headers } }
  }
}

async function logout(call: Call): Promise<Answer> {
  const { caller, node } = call
  if (caller.kind === 'principal' && caller.tokenId !== null) {
    // Named tokens are deleted where they are listed: a slip must not stop a program for good.
    if (node.access.tokens.find(caller.tokenId) === undefined) {
      await node.access.revocations.add(caller.tokenId, { reason: 'logout', until: caller.expires })
    }
    tell(call, 'logout', call.user.email, 200, null, call.user.user_id)
  }
  return seeOther('/login', noCookie(call.from))
}

const page = ({ body, headers }: ReturnType<typeof loginPage>): Answer => ({
  contentType: 'text/html; charset=utf-8',
  headers,
  body,
})

const seeOther = (path: string, cookie: string): Answer => ({
  status: 303,
  contentType: 'text/plain; charset=utf-8',
  headers: { Location: path, 'Set-Cookie': cookie, 'Cache-Control': 'no-store' },
  body: '',
})

const wantsPage = ({ headers }: Call): boolean =>
  choose(headers.accept as string | undefined, ['application/json', 'text/html']) === 'text/html'

async function credentialsOf(call: Call): Promise<{ email: string; password: string; next: string | undefined }> {
  const { email, password, next } = await fieldsOf(call)
  if (email === undefined || password === undefined) {
    throw new ApiError('bad-request', 'The fields `email` and `password` are needed.')
  }
  return { email, password, next }
}
