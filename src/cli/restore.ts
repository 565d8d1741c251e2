/** `samtale restore DIR`: puts tenants back to a backup, verified before it takes the place of what is there. */

import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Restored, restoreTenant } from '../hub/backups/restore.ts'
import type { HubError } from '../hub/errors.ts'
import { storedSecrets } from '../hub/secrets/document.ts'
import { givenKey, missingKey, ownKey } from '../hub/secrets/keys.ts'
import type { MasterKey } from '../hub/secrets/master-key.ts'
import { openLog } from '../log/reader.ts'
import { type Arguments, UsageError } from './arguments.ts'
import type { Command } from './command.ts'
import { masterKeyOf } from './master-key.ts'

export const restore: Command = async ({ given, environment, terminal }) => {
  const key = masterKeyOf(given, environment).masterKey
  const repository = resolve(given.positionals[0] as string)
  if (!existsSync(repository)) throw new UsageError(`there is no folder ${repository}.`)
  const only = given.text('tenant')
  const id = given.text('backup')
  if (id !== undefined && only === undefined)
    throw new UsageError('--backup needs --tenant NAME: a backup is of one tenant.')
  const tenants = only === undefined ? folders(repository) : [only]
  if (tenants.length === 0) throw new UsageError(`${repository} holds no backups.`)
  const restored: Restored[] = []
  for (const tenant of tenants) {
    const one = await restoreTenant({
      repository,
      tenant,
      data: resolve(given.text('data') as string),
      progress: (what) => terminal.status(`${tenant}: ${what}`),
      ...(id === undefined ? {} : { id }),
    })
    terminal.clear()
    restored.push(one)
    const lacking = lackingKey(given, tenant, key)
    if (lacking !== null) terminal.note(`${tenant}: ${lacking.message} ${lacking.hint}`)
    if (!given.flag('json')) terminal.line(`${tenant}: restored to ${one.manifest.time} from ${one.manifest.id}.`)
  }
  if (given.flag('json')) {
    terminal.line(
      JSON.stringify(
        restored.map(({ manifest: { contents: _, ...rest }, uuid }) => ({ ...rest, restore: uuid })),
        null,
        2,
      ),
    )
  }
  return 0
}

/** A backup holds secrets as they are sealed, and no key; null: whatever there is can be opened. */
function lackingKey(given: Arguments, tenant: string, key: MasterKey | undefined): HubError | null {
  const data = resolve(given.text('data') as string)
  const keys = key === undefined ? ownKey(data) : givenKey(key)
  const log = openLog(join(data, 'tenants', tenant, 'log'))
  try {
    const snapshot = log.snapshot()
    const missing = storedSecrets(snapshot).filter(({ sealed }) => keys.find(sealed.master) === null)
    snapshot.close()
    const ids = [...new Set(missing.map(({ sealed }) => sealed.master))]
    return missing.length === 0 ? null : missingKey(ids, missing.length)
  } finally {
    log.close()
  }
}

const folders = (repository: string): string[] =>
  readdirSync(repository, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && readdirSync(join(repository, entry.name)).length > 0)
    .map(({ name }) => name)
