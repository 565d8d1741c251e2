/** `samtale user`: accounts of a data folder. */

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Access } from '../hub/access/access.ts'
import type { StoredUser } from '../hub/access/store.ts'
import { type Arguments, UsageError } from './arguments.ts'
import type { Command } from './command.ts'
import { listOf, openAccess } from './opened-access.ts'
import { type Terminal, table } from './terminal.ts'

const ACTIONS = ['list', 'add', 'change', 'revoke', 'remove']

export const user: Command = async ({ given, terminal }) => {
  const [action = '', email] = given.positionals
  if (!ACTIONS.includes(action)) {
    throw new UsageError(`samtale user does not know '${action}': it is ${ACTIONS.join(', ')}.`)
  }
  if (action === 'list') return list(openAccess(given), given, terminal)
  if (email === undefined) throw new UsageError(`samtale user ${action} needs the e-mail address of the account.`)
  const access = openAccess(given)
  switch (action) {
    case 'add':
      return add(access, email, given, terminal)
    case 'change':
      return change(access, email, given, terminal)
    case 'revoke':
      return done(await access.users.revoke(email), 'All tokens they logged in with are void:', given, terminal)
    default:
      return done(await access.users.remove(email), 'Removed', given, terminal)
  }
}

function list({ users }: Access, given: Arguments, terminal: Terminal): number {
  if (given.flag('json')) terminal.line(JSON.stringify(users.list().map(document), null, 2))
  else {
    const rows = users
      .list()
      .map(({ email, name, roles, isDisabled }) => [email, name ?? '-', roles.join(', '), isDisabled ? 'disabled' : ''])
    for (const line of table(['e-mail', 'name', 'roles', ''], rows)) terminal.line(line)
  }
  return 0
}

async function add(access: Access, email: string, given: Arguments, terminal: Terminal): Promise<number> {
  const { password, isMade } = passwordOf(given)
  const added = await access.users.add({
    email,
    name: given.text('name') ?? null,
    roles: listOf(given.text('roles')) ?? [],
    tenants: listOf(given.text('tenants')) ?? null,
    password,
  })
  return done(added, 'Added', given, terminal, isMade ? password : null)
}

async function change(access: Access, email: string, given: Arguments, terminal: Terminal): Promise<number> {
  const [name, roles, tenants] = [given.text('name'), listOf(given.text('roles')), listOf(given.text('tenants'))]
  const isNew = given.text('password-file') !== undefined || given.flag('new-password')
  const { password, isMade } = isNew ? passwordOf(given) : { password: undefined, isMade: false }
  const changed = await access.users.change(email, {
    ...(name === undefined ? {} : { name }),
    ...(roles === undefined ? {} : { roles }),
    ...(tenants === undefined ? {} : { tenants }),
    ...(given.flag('disable') ? { isDisabled: true } : given.flag('enable') ? { isDisabled: false } : {}),
    ...(password === undefined ? {} : { password }),
  })
  return done(changed, 'Changed', given, terminal, isMade ? (password ?? null) : null)
}

/** Whoever lists the processes of a machine reads what was typed: so a password is never an argument. */
function passwordOf(given: Arguments): { readonly password: string; readonly isMade: boolean } {
  const file = given.text('password-file')
  if (file === undefined) return { password: randomBytes(15).toString('base64url'), isMade: true }
  return { password: readFileSync(file === '-' ? 0 : file, 'utf8').replace(/\r?\n$/, ''), isMade: false }
}

function done(
  user: StoredUser,
  what: string,
  given: Arguments,
  terminal: Terminal,
  password: string | null = null,
): number {
  if (given.flag('json')) {
    terminal.line(JSON.stringify({ ...document(user), ...(password === null ? {} : { password }) }, null, 2))
    return 0
  }
  const roles = user.roles.length === 0 ? 'no roles' : user.roles.join(', ')
  terminal.line(`${what} ${user.email} (${roles}).`)
  if (password !== null) terminal.line(`Password, shown this once: ${password}`)
  return 0
}

const document = ({ id, email, name, roles, tenants, isDisabled, created }: StoredUser) => ({
  id,
  email,
  name,
  roles,
  tenants,
  is_disabled: isDisabled,
  created: new Date(created).toISOString(),
})
