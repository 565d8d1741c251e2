/** Opens a data folder for a command that works on it directly: no pumps, no graph, no API. */

import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { didYouMean } from '../config/problems.ts'
import { HubNode } from '../hub/node.ts'
import type { MasterKey } from '../hub/secrets/master-key.ts'
import type { HubTenant } from '../hub/tenant.ts'
import { type Arguments, UsageError } from './arguments.ts'
import { plainLogger } from './logger.ts'
import type { Terminal } from './terminal.ts'
import { version } from './version.ts'

export async function withTenant<T>(
  given: Arguments,
  terminal: Terminal,
  { mustExist, masterKey }: { readonly mustExist: boolean; readonly masterKey?: MasterKey | undefined },
  use: (tenant: HubTenant) => Promise<T>,
): Promise<T> {
  const data = resolve(given.text('data') as string)
  if (mustExist && !existsSync(join(data, 'node.json'))) throw new UsageError(`${data} holds no data of a hub.`)
  const base = given.text('base')
  const node = await HubNode.open({
    data,
    developer: false,
    version,
    logger: plainLogger(terminal),
    withGraph: false,
    onFatal: (error) => {
      terminal.note(`samtale: ${error.message}`)
      process.exit(1)
    },
    ...(base === undefined ? {} : { base }),
    ...(masterKey === undefined ? {} : { masterKey }),
  })
  try {
    const name = given.text('tenant') as string
    const tenant = node.tenant(name)
    if (tenant === undefined) {
      const meant = didYouMean(
        name,
        node.tenants().map((one) => one.name),
      )
      throw new UsageError(`there is no tenant '${name}' in ${data}.${meant === undefined ? '' : ` ${meant}`}`)
    }
    return await use(tenant)
  } finally {
    await node.close()
  }
}
