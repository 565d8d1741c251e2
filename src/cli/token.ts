/** `samtale token`: named tokens of a data folder. */

import type { Access } from '../hub/access/access.ts'
import type { StoredToken } from '../hub/access/store.ts'
import { type Arguments, UsageError } from './arguments.ts'
import { accessSettings } from './authentication.ts'
import type { Command } from './command.ts'
import { listOf, openAccess } from './opened-access.ts'
import { type Terminal, table } from './terminal.ts'

const ACTIONS = ['list', 'create', 'remove']
const DAY_MS = 86_400_000

export const token: Command = async ({ given, environment, terminal }) => {
  const [action = '', name] = given.positionals
  if (!ACTIONS.includes(action)) {
    throw new UsageError(`samtale token does not know '${action}': it is ${ACTIONS.join(', ')}.`)
  }
  const open = () => openAccess(given, accessSettings(given, environment))
  if (action === 'list') return list(open(), given, terminal)
  if (name === undefined)
    throw new UsageError(`samtale token ${action} needs the ${action === 'create' ? 'name' : 'id'} of the token.`)
  if (action === 'create') return create(open(), name, given, terminal)
  const removed = await open().tokens.remove(name)
  if (given.flag('json')) terminal.line(JSON.stringify(document(removed), null, 2))
  else terminal.line(`Removed '${removed.name}': it opens nothing any more.`)
  return 0
}

function list({ tokens }: Access, given: Arguments, terminal: Terminal): number {
  if (given.flag('json')) terminal.line(JSON.stringify(tokens.list().map(document), null, 2))
  else {
    const rows = tokens
      .list()
      .map(({ id, name, roles, expires }) => [id, name, roles.join(', '), expires === null ? 'never' : isoOf(expires)])
    for (const line of table(['id', 'name', 'roles', 'ends'], rows)) terminal.line(line)
  }
  return 0
}

/** Its text alone on standard output: `TOKEN=$(samtale token create …)`. */
async function create(access: Access, name: string, given: Arguments, terminal: Terminal): Promise<number> {
  const email = given.text('user')
  const made = await access.tokens.create({
    name,
    description: null,
    owner: email === undefined ? null : access.users.get(email).id,
    roles: listOf(given.text('roles')) ?? [],
    ids: listOf(given.text('ids')) ?? null,
    permissions: listOf(given.text('permissions')) ?? null,
    tenants: listOf(given.text('tenants')) ?? null,
    expires: expiryOf(given),
  })
  const text = await access.tokenText(made)
  terminal.line(given.flag('json') ? JSON.stringify({ ...document(made), token: text }, null, 2) : text)
  return 0
}

function expiryOf(given: Arguments): number | null {
  const days = given.text('days') as string
  const number = Number(days)
  if (!/^\d+(\.\d+)?$/.test(days) || number > 36_500) throw new UsageError(`--days ${days} is no number of days.`)
  return number === 0 ? null : Date.now() + Math.ceil(number * DAY_MS)
}

const isoOf = (ms: number): string => new Date(ms).toISOString()

const document = ({ created, expires, owner, ...rest }: StoredToken) => ({
  ...rest,
  user_id: owner,
  created: isoOf(created),
  expires: expires === null ? null : isoOf(expires),
})
