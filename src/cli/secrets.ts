/** `samtale secrets`: names, values to be set, and another master key, where no hub runs on the data. */

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { ownKeyFile } from '../hub/secrets/keys.ts'
import { type MasterKey, readMasterKeyFile } from '../hub/secrets/master-key.ts'
import { nextOwnKey, rotateTenant } from '../hub/secrets/rotate.ts'
import { startWriter } from '../log/journal.ts'
import { openLog } from '../log/reader.ts'
import { type Arguments, UsageError } from './arguments.ts'
import type { Command } from './command.ts'
import { masterKeyOf } from './master-key.ts'
import { withTenant } from './open-data.ts'
import type { Terminal } from './terminal.ts'
import { tenantLogs } from './verify.ts'

const ACTIONS = ['list', 'set', 'delete', 'rotate']

export const secrets: Command = async ({ given, environment, terminal }) => {
  const [action, name] = given.positionals
  if (action === undefined || !ACTIONS.includes(action)) {
    throw new UsageError(`samtale secrets cannot '${action}'; it can ${ACTIONS.join(', ')}.`)
  }
  const key = masterKeyOf(given, environment)
  if (action === 'rotate') return rotate(given, key.masterKey, terminal)
  const system = given.text('system') ?? null
  return withTenant(given, terminal, { mustExist: true, ...key }, async (tenant) => {
    if (action === 'set')
      await tenant.secrets.set(system, new Map([[named(name, action), await standardInput()]]), false)
    if (action === 'delete') await tenant.secrets.delete(system, named(name, action))
    const names = tenant.secrets.names(system)
    if (given.flag('json')) terminal.line(JSON.stringify(names))
    else for (const one of names) terminal.line(one)
    return 0
  })
}

function named(name: string | undefined, action: string): string {
  if (name === undefined) throw new UsageError(`samtale secrets ${action} needs NAME.`)
  return name
}

/** A value on the command line could be seen by others. */
async function standardInput(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}

async function rotate(given: Arguments, present: MasterKey | undefined, terminal: Terminal): Promise<number> {
  const data = resolve(given.text('data') as string)
  const file = given.text('new-key-file')
  const own = file === undefined ? nextOwnKey(data) : null
  const to = own?.key ?? readMasterKeyFile(resolve(file as string))
  const from = present === undefined ? ownKeys(data) : [present]
  const rotated: { readonly tenant: string; readonly secrets: number }[] = []
  for (const { tenant, path } of tenantLogs(ofAllTenants(given)))
    rotated.push({ tenant, secrets: await rotateLog(path, from, to) })
  // Only now does nothing need the former one any more.
  own?.finish()
  if (given.flag('json')) terminal.line(JSON.stringify({ masterKey: to.id, tenants: rotated }))
  else {
    for (const { tenant, secrets: count } of rotated) terminal.line(`${tenant}: ${count} sealed anew.`)
    const next =
      file === undefined ? 'It is in master.key of the data folder.' : `Start the hub with --master-key-file ${file}.`
    terminal.line(`The master key is ${to.id} now. ${next}`)
  }
  return 0
}

/** They have one master key together: none may be left behind with the former one. */
const ofAllTenants = (given: Arguments): Arguments => ({
  ...given,
  text: (name) => (name === 'tenant' ? undefined : given.text(name)),
})

const ownKeys = (data: string): readonly MasterKey[] =>
  existsSync(ownKeyFile(data)) ? [readMasterKeyFile(ownKeyFile(data))] : []

async function rotateLog(path: string, from: readonly MasterKey[], to: MasterKey): Promise<number> {
  const writer = await startWriter(path, { onDeath: () => {} })
  const log = openLog(path)
  try {
    const snapshot = log.snapshot()
    try {
      return await rotateTenant(snapshot, writer.journal, from, to)
    } finally {
      snapshot.close()
    }
  } finally {
    await log.close()
    await writer.close()
  }
}
