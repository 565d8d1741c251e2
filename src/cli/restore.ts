/** `samtale restore DIR`: puts tenants back to a backup, verified before it takes the place of what is there. */

import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Restored, restoreTenant } from '../hub/backups/restore.ts'
import { UsageError } from './arguments.ts'
import type { Command } from './command.ts'

export const restore: Command = async ({ given, terminal }) => {
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

const folders = (repository: string): string[] =>
  readdirSync(repository, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && readdirSync(join(repository, entry.name)).length > 0)
    .map(({ name }) => name)
