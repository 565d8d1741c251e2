/** `samtale backup DIR`: a backup of each tenant, also while a hub runs on the data. */

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { makeBackup } from '../hub/backups/make.ts'
import type { Manifest } from '../hub/backups/manifest.ts'
import { UsageError } from './arguments.ts'
import type { Command } from './command.ts'
import { tenantLogs } from './verify.ts'

export const backup: Command = async ({ given, terminal }) => {
  const data = resolve(given.text('data') as string)
  const identity = join(data, 'node.json')
  if (!existsSync(identity)) throw new UsageError(`${data} holds no data of a hub.`)
  const node = JSON.parse(readFileSync(identity, 'utf8')) as Manifest['node']
  const made: Manifest[] = []
  for (const { tenant, path } of tenantLogs(given)) {
    terminal.status(`${tenant}: backing up`)
    const repository = resolve(given.positionals[0] as string)
    const order = { repository, tenant, log: path, node, isFull: given.flag('full'), now: Date.now() }
    const manifest = await makeBackup(order)
    terminal.clear()
    made.push(manifest)
    if (!given.flag('json')) {
      const { datasets } = manifest.contents
      terminal.line(
        `${tenant}: ${manifest.kind} backup ${manifest.id}, ${manifest.file.bytes.toLocaleString('en')} bytes, ${datasets.length} ${datasets.length === 1 ? 'dataset' : 'datasets'}.`,
      )
    }
  }
  if (given.flag('json'))
    terminal.line(
      JSON.stringify(
        made.map(({ contents: _, ...rest }) => rest),
        null,
        2,
      ),
    )
  return 0
}
