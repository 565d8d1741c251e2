/** What a command tells of: the configuration of a folder, or that of a hub's data, with the data. */

import { elementTexts } from '../config/elements.ts'
import { type Deployment, deploy } from '../hub/deployment.ts'
import { CONFIG, ENV } from '../hub/log-knowledge.ts'
import type { Snapshot } from '../log/contract.ts'
import type { Arguments } from './arguments.ts'
import { readConfiguration } from './configuration.ts'
import { withLog } from './reading.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** `snapshot` is null for the configuration of a folder. */
export function withDeployment<T>(
  given: Arguments,
  environment: Environment,
  use: (deployment: Deployment, snapshot: Snapshot | null) => T,
): T {
  const folder = given.text('config')
  if (folder !== undefined) {
    const { files, env } = readConfiguration(folder, environment)
    return use(deploy(files, env, null), null)
  }
  return withLog(given, (snapshot) => {
    const config = snapshot.meta(CONFIG)
    return use(deploy(config === undefined ? [] : elementTexts(config), snapshot.meta(ENV) ?? '{}', null), snapshot)
  })
}
