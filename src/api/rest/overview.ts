/** A tenant at a glance, for whoever is on call: what fails, what waits, what is full, what was not backed up. */

import { Type } from 'typebox'
import type { PipeFigures } from '../../hub/contract.ts'
import { type Answer, json } from '../answer.ts'
import { type Call, type Route, route } from '../route.ts'
import { given, ObjectShape } from './shapes.ts'

/** Pipes of each kind that are named; of more only the number is told. */
const NAMED = 100

const Named = Type.Object({ count: Type.Integer(), pipes: Type.Array(ObjectShape) })

const OverviewShape = Type.Object(
  {
    node: ObjectShape,
    health: ObjectShape,
    disks: Type.Array(ObjectShape),
    pipes: Type.Object({
      count: Type.Integer(),
      running: Type.Integer(),
      disabled: Type.Integer(),
      failing: Named,
      invalid: Named,
      tripped: Named,
      waiting: Named,
      out_of_sync: Named,
      retrying: Named,
    }),
    backup: ObjectShape,
    notifications: ObjectShape,
  },
  { description: 'How the tenant stands.' },
)

export const overviewRoute: Route = route({
  method: 'GET',
  path: '/api/overview',
  tag: 'Node',
  action: 'read',
  resource: 'tenant',
  summary: 'The tenant at a glance: health, pipes that fail or wait, disks, backups, notifications.',
  answers: given(OverviewShape, 'How the tenant stands.'),
  handle: overview,
})

async function overview({ node, tenant, prefix }: Call): Promise<Answer> {
  const pipes: PipeFigures[] = []
  for await (const slice of tenant.figures()) pipes.push(...slice)
  const health = await node.health(prefix === '' ? null : tenant.name)
  const { ongoing, waiting } = tenant.notifications.figures()
  return json({
    tenant: tenant.name,
    node: {
      id: node.id,
      version: node.version,
      started: new Date(node.startedAt).toISOString(),
      memory_bytes: process.memoryUsage.rss(),
    },
    health: { live: health.isLive, ready: health.isReady, healthy: health.isWell, reasons: health.reasons },
    disks: node.disks().map(({ what, path, freeBytes, totalBytes }) => ({
      folder: what,
      path,
      free_bytes: freeBytes,
      total_bytes: totalBytes,
    })),
    pipes: {
      count: pipes.length,
      running: pipes.filter(({ state }) => state.running !== null).length,
      disabled: pipes.filter(({ isEnabled }) => !isEnabled).length,
      ...Object.fromEntries(Object.entries(KINDS).map(([kind, tell]) => [kind, named(pipes, tell)])),
    },
    backup: backupOf(tenant.backups(), tenant.backupHealth()),
    notifications: { ongoing, waiting },
  })
}

/** What is told of a pipe that is of a kind; null: it is not. The greatest `rank` comes first. */
type Tell = (pipe: PipeFigures) => { readonly rank: number; readonly told: object } | null

const KINDS: Readonly<Record<string, Tell>> = {
  failing: ({ state: { last, lastEndedAt } }) =>
    last?.outcome !== 'failed'
      ? null
      : { rank: lastEndedAt ?? 0, told: { since: time(lastEndedAt), message: last.message, code: last.code } },
  invalid: ({ isValid }) => (isValid ? null : { rank: 0, told: {} }),
  tripped: ({ isTripped }) => (isTripped ? { rank: 0, told: {} } : null),
  waiting: ({ waitingSeconds, sourceQueue, trackingQueue }) => {
    const changes = (sourceQueue ?? 0) + (trackingQueue ?? 0)
    return changes === 0 ? null : { rank: waitingSeconds ?? 0, told: { changes, seconds: waitingSeconds } }
  },
  out_of_sync: ({ outOfSync }) => (outOfSync === 0 ? null : { rank: outOfSync, told: { reasons: outOfSync } }),
  retrying: ({ pump }) =>
    pump === null || pump.retryable === 0 ? null : { rank: pump.retryable, told: { entities: pump.retryable } },
}

function named(
  pipes: readonly PipeFigures[],
  tell: Tell,
): { readonly count: number; readonly pipes: readonly object[] } {
  const found = pipes.flatMap((pipe) => {
    const said = tell(pipe)
    return said === null ? [] : [{ rank: said.rank, told: { pipe: pipe.id, ...said.told } }]
  })
  const sorted = found.sort((a, b) => b.rank - a.rank).slice(0, NAMED)
  return { count: found.length, pipes: sorted.map(({ told }) => told) }
}

function backupOf(backups: readonly string[], state: string): object {
  const all = backups.map((text) => JSON.parse(text) as { status: string; started: string; message: string | null })
  const newest = all.find(({ status }) => status === 'completed')
  const last = all.find(({ status }) => status !== 'running')
  return { state, newest: newest?.started ?? null, message: last?.status === 'failed' ? last.message : null }
}

const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())
