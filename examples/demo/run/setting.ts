/** A hub and its systems in a folder: started, configured, and told of changes. */

import { join } from 'node:path'
import { compile } from '../compile/compile.ts'
import { mappingFiles, writeConfiguration } from '../compile/files.ts'
import type { SystemUrls } from '../systems/main.ts'
import { type Systems, startSystems } from './children.ts'
import { post } from './client.ts'
import { type Hub, startHub } from './hub.ts'
import { freePort } from './ports.ts'

export interface Setting {
  readonly folder: string
  readonly config: string
  readonly data: string
  readonly systems: Systems
  /** The port of the hub stays the same when it starts again, as systems know it. */
  readonly port: number
}

/** Preferred ports: fixed for people, who copy commands; null: any. */
export interface Ports {
  readonly hub: number
  readonly crm: number
  readonly erp: number
  readonly hr: number
}

export async function prepare(folder: string, preferred: Ports | null): Promise<Setting> {
  const port = (name: keyof Ports) => freePort(preferred?.[name] ?? 0)
  const [hub, crm, erp, hr] = [await port('hub'), await port('crm'), await port('erp'), await port('hr')]
  const systems = await startSystems({ ports: { crm, erp, hr } })
  const config = join(folder, 'config')
  writeConfiguration(config, compile(mappingFiles()), urlVariables(systems.urls))
  await subscribe(systems.urls, `http://127.0.0.1:${hub}`)
  return { folder, config, data: join(folder, 'data'), systems, port: hub }
}

/** It ends when the demo is interrupted, and whatever waits for it with it. */
export async function openHub({ port, data, config }: Setting, interrupted: AbortSignal): Promise<Hub> {
  const hub = await startHub({ port, data, config })
  interrupted.addEventListener('abort', () => void hub.stop())
  if (interrupted.aborted) await hub.stop()
  interrupted.throwIfAborted()
  return hub
}

const urlVariables = (urls: SystemUrls): Record<string, string> =>
  Object.fromEntries(Object.entries(urls).map(([system, url]) => [`${system}_url`, url]))

/** The CRM tells the hub by starting the pump that collects what changed. */
async function subscribe({ crm }: SystemUrls, hub: string): Promise<void> {
  for (const [kind, pipe] of [
    ['organisations', 'crm-organisation-collect'],
    ['persons', 'crm-person-collect'],
  ]) {
    await post(`${crm}/api/subscriptions`, { kind, url: `${hub}/api/pipes/${pipe}/pump` })
  }
}
