/** Whether a hub asks everybody who they are, and how the first one gets in. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Access, type AccessSettings, keyText } from '../hub/access/access.ts'
import { ADMIN, NO_LIMITS } from '../hub/access/permission.ts'
import { AccessStore } from '../hub/access/store.ts'
import type { Arguments } from './arguments.ts'
import { UsageError } from './arguments.ts'
import type { Terminal } from './terminal.ts'

export interface Surroundings {
  readonly host: string
  /** Folder of the data. */
  readonly data: string
}

/** On unless it is a developer's own machine; off only there. */
export function authenticates(given: Arguments, { host, data }: Surroundings): boolean {
  const wish = given.text('auth') ?? 'auto'
  if (!['auto', 'on', 'off'].includes(wish)) throw new UsageError(`--auth ${wish} is neither on nor off.`)
  const isOwnMachine = isLoopback(host)
  const isDeveloper = given.flag('developer')
  if (wish === 'off') {
    if (!isOwnMachine) {
      throw new UsageError(
        `--auth off would let everybody in who reaches ${host}: it is for 127.0.0.1, ::1 and localhost only. Leave --auth out, or --host.`,
      )
    }
    if (!isDeveloper) {
      throw new UsageError(
        '--auth off would let everybody in on this machine: it needs --developer. Leave --auth out, or add --developer.',
      )
    }
  }
  if (wish !== 'auto') return wish === 'on'
  return !(isDeveloper && isOwnMachine && new AccessStore(data).document.users.length === 0)
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)

/** Whose tokens count, as far as it is said where the hub is started. */
export function accessSettings(
  given: Arguments,
  environment: Readonly<Record<string, string | undefined>>,
): AccessSettings {
  // Not an option: whoever lists the processes of a machine reads what was typed.
  const text = environment.SAMTALE_JWT_KEY === '' ? undefined : environment.SAMTALE_JWT_KEY
  return {
    key: keyText(text, given.text('jwt-key-file')),
    jwks: given.text('jwks') ?? null,
    issuer: given.text('jwt-issuer') ?? null,
    audience: given.text('jwt-audience') ?? null,
  }
}

const FILE = 'admin.jwt'

/** As long as nobody has an account, an administrator's token lies beside the data, for whoever may read that. */
export async function keepFirstToken(access: Access, data: string, terminal: Terminal): Promise<void> {
  if (access.hasUsers) return
  const path = join(data, FILE)
  if (!(await isGood(access, path))) {
    const given = { name: 'administrator', description: `Made at first start; lies in ${FILE}.`, owner: null }
    const token = await access.tokens.create({ ...given, roles: [ADMIN], ...NO_LIMITS, expires: null })
    writeFileSync(path, `${await access.tokenText(token)}\n`, { mode: 0o600, flush: true })
  }
  terminal.note(`samtale: whoever calls must show a token; the administrator's is in ${path}.`)
}

/** Another key, or a token that was deleted, makes it worthless. */
async function isGood(access: Access, path: string): Promise<boolean> {
  if (!existsSync(path)) return false
  return access.identify(readFileSync(path, 'utf8').trim()).then(
    () => true,
    () => false,
  )
}
