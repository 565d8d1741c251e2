/** Checks a password that somebody sent: bounded in how often, told to the audit log, never stored. */

import type { StoredUser } from '../../hub/access/store.ts'
import { ApiError } from '../errors.ts'
import type { LoginLimits } from '../login-limits.ts'
import type { Call } from '../route.ts'

export class Passwords {
  readonly #limits: LoginLimits

  constructor(limits: LoginLimits) {
    this.#limits = limits
  }

  /** The account. Codes: too-many-logins, wrong-password. */
  async check(call: Call, email: string, password: string): Promise<StoredUser> {
    const { access } = call.node
    const address = call.user.remote_addr ?? ''
    try {
      this.#limits.begin(address, email)
      const user = await access.users.authenticate(email, password)
      if (user === null) throw new ApiError('wrong-password', 'There is no such account with this password.')
      this.#limits.succeeded(address, email)
      tell(call, 'login', email, 200, null, user.id)
      return user
    } catch (error) {
      const { code = 'unexpected' } = error as { code?: string }
      // Whom they would have tried next is nothing to remember.
      const isTooMany = code === 'too-many-logins'
      tell(call, 'login-failed', isTooMany ? null : email, isTooMany ? 429 : 401, code, null)
      throw error
    }
  }
}

export function tell(
  { node, user, method, path }: Call,
  event: string,
  email: string | null,
  status: number,
  reason: string | null,
  userId: string | null,
): void {
  const told = {
    event,
    user: userId,
    email: email === null ? null : email.slice(0, 256),
    token: null,
    address: user.remote_addr,
    method,
    route: path,
    resource: 'node',
    action: 'login',
    status,
    reason,
  }
  node.audit.tell('default', told, status === 429)
}
