/** What the node says about itself (rest-api.md §3.1). */

import type { ThreadStatus } from '../../hub/contract.ts'
import { json } from '../answer.ts'
import { type Call, type Route, route } from '../route.ts'
import { given, ObjectShape } from './shapes.ts'

const common = { tag: 'Node', action: 'read', resource: 'node' } as const

export const nodeRoutes: readonly Route[] = [
  route({
    ...common,
    method: 'GET',
    path: '/api',
    summary: 'The root of the API.',
    answers: given(ObjectShape, 'Version and mode of the node.'),
    handle: ({ node, prefix }) =>
      json({
        status: { developer_mode: node.developer, node_version: node.version },
        links: {
          reference: '/api/reference',
          pipes: `${prefix}/api/pipes`,
          datasets: `${prefix}/api/datasets`,
          sparql: `${prefix}/sparql`,
          graphql: `${prefix}/graphql`,
        },
      }),
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/ping',
    isOpen: true,
    summary: 'Whether the hub answers.',
    answers: given(ObjectShape, 'It does.'),
    handle: () => json({ status: 'running' }),
  }),
  route({
    ...common,
    method: 'GET',
    path: '/api/status',
    summary: 'The process: version, start, memory, and the threads that run pipes.',
    answers: given(ObjectShape, 'Figures of the node.'),
    handle: (call) => json(statusOf(call)),
  }),
  route({
    ...common,
    resource: 'config',
    method: 'GET',
    path: '/api/namespaces',
    access: 'view',
    summary: 'Prefixes of identifiers and properties, built in and configured.',
    answers: given(ObjectShape, 'Prefix and IRI of each.'),
    handle: ({ tenant }) => json(tenant.naming().namespaces),
  }),
]

/** Of the runs of others a tenant sees nothing, nor who may not see its pipes. */
function statusOf({ node, tenant: asked, prefix, may }: Call): Record<string, unknown> {
  const tenant = prefix === '' ? null : asked
  const isSeen = may('develop', 'node')
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  // A tenant may be restarted alone.
  const startedAt = Math.max(node.startedAt, tenant?.startedAt ?? 0)
  return {
    node_id: node.id,
    node_version: node.version,
    // Milliseconds: clients wait for it to change, also after two restarts within a second.
    node_start_time: new Date(startedAt).toISOString(),
    node_uptime: (Date.now() - startedAt) / 1000,
    node_js_version: process.version,
    process_id: process.pid,
    memory: { rss, heap_used: heapUsed, heap_total: heapTotal, external },
    cpu: { user_seconds: user / 1e6, system_seconds: system / 1e6 },
    ...(isSeen
      ? {
          disks: node.disks().map(({ what, freeBytes, totalBytes }) => ({
            folder: what,
            free_bytes: freeBytes,
            total_bytes: totalBytes,
          })),
          tenants: node.tenants().map(({ name }) => name),
          threads: node.threads().map((thread) => threadStatus(thread, tenant?.name ?? null)),
        }
      : {}),
  }
}

function threadStatus(
  { number, isStarted, busy, runs, restarts, lastLoss }: ThreadStatus,
  only: string | null,
): Record<string, unknown> {
  const isSeen = (of: string | undefined) => only === null || of === only
  return {
    thread: number,
    state: !isStarted ? 'not-started' : runs.length > 0 ? 'running' : 'idle',
    busy: Math.round(busy * 100) / 100,
    running: runs
      .filter(({ tenant }) => isSeen(tenant))
      .map(({ startedAt, ...run }) => ({ ...run, since: new Date(startedAt).toISOString() })),
    restarts,
    'last-loss':
      lastLoss === null || !isSeen(lastLoss.tenant) ? null : { ...lastLoss, at: new Date(lastLoss.at).toISOString() },
  }
}
