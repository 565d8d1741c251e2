/** A hub on a temporary folder, for tests: no graph, nothing on the network. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach } from 'vitest'
import { datasetEntities } from '../../src/hub/datasets.ts'
import { HubNode, type NodeOptions } from '../../src/hub/node.ts'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { silent } from '../../src/pipes/logger.ts'

const clean: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const one of clean.splice(0).reverse()) await one()
})

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'samtale-test-'))
  clean.push(() => rm(folder, { recursive: true, force: true }))
  return folder
}

let shared: Promise<HubNode> | null = null
let sharedFolder: string | null = null
let tenants = 0
afterAll(async () => {
  await (await shared)?.close()
  if (sharedFolder !== null) await rm(sharedFolder, { recursive: true, force: true })
})

/** A new tenant of a hub that the tests of a file share: quick, because no thread but its writer is started. */
export async function openTenant(): Promise<HubTenant> {
  shared ??= mkdtemp(join(tmpdir(), 'samtale-test-')).then((data) => {
    sharedFolder = data
    return openNode(data)
  })
  const node = await shared
  const name = `t${++tenants}`
  clean.push(() => node.deleteTenant(name))
  return node.createTenant(name)
}

const openNode = (data: string, options: Partial<NodeOptions> = {}): Promise<HubNode> =>
  HubNode.open({
    developer: false,
    version: 'test',
    logger: silent,
    withGraph: false,
    threads: 1,
    onFatal: (error) => {
      throw error
    },
    ...options,
    data,
  })

/** A hub of its own, for what concerns a whole node. */
export async function openHub(
  options: Partial<NodeOptions> = {},
): Promise<{ node: HubNode; tenant: HubTenant; data: string }> {
  const data = options.data ?? (await temporaryFolder())
  const node = await openNode(data, options)
  let isClosed = false
  const close = node.close.bind(node)
  node.close = async () => {
    if (!isClosed) await close()
    isClosed = true
  }
  clean.push(() => node.close())
  return { node, tenant: node.tenant('default') as HubTenant, data }
}

export const deploy = (tenant: HubTenant, ...components: object[]) =>
  tenant.replaceConfig(JSON.stringify(components), false)

type Stored = Record<string, unknown> & { _id: string; _deleted: boolean; _updated: number; _hash: string }

export async function stored(tenant: HubTenant, dataset: string, history = false): Promise<Stored[]> {
  let text = ''
  for await (const chunk of datasetEntities(tenant, dataset, { history, deleted: true, reverse: false })) text += chunk
  return JSON.parse(text) as Stored[]
}

/** Content only, by `_id`; the deleted left out. */
export async function live(tenant: HubTenant, dataset: string): Promise<Record<string, unknown>[]> {
  const entities = (await stored(tenant, dataset)).filter(({ _deleted }) => !_deleted)
  return entities
    .map((entity) =>
      Object.fromEntries(Object.entries(entity).filter(([name]) => name === '_id' || !name.startsWith('_'))),
    )
    .sort((a, b) => (String(a._id) < String(b._id) ? -1 : 1))
}

export const push = (tenant: HubTenant, pipe: string, entities: unknown, parameters: object = {}) =>
  tenant.receive(pipe, Buffer.from(typeof entities === 'string' ? entities : JSON.stringify(entities)), {
    isFull: false,
    isFirst: false,
    isLast: false,
    ...parameters,
  })

export const receiver = (id: string, more: object = {}) => ({
  _id: id,
  type: 'pipe',
  source: { type: 'http_endpoint' },
  ...more,
})
