/** From what was seen of a node to why it is not well: pure, so that each reason can be seen to come and go. */

import type { GraphStatus } from '../../graph/contract.ts'
import type { Reason } from './reason.ts'

/** A disk that the hub writes to. */
export interface Disk {
  readonly what: 'data' | 'backups'
  readonly path: string
  readonly freeBytes: number
  readonly totalBytes: number
}

export interface TenantFacts {
  readonly name: string
  /** Grows each second while its writer lives. */
  readonly beats: number
  /** Null for a hub that runs without a graph. */
  readonly graph: Pick<GraphStatus, 'state' | 'lag'> | null
  /** What is wrong with its backups; null: nothing, or there are to be none. */
  readonly backupTrouble: string | null
}

/** A node at one moment. */
export interface Facts {
  /** Milliseconds, of a clock that only grows. */
  readonly at: number
  readonly disks: readonly Disk[]
  readonly tenants: readonly TenantFacts[]
  /** Tenants whose data could not be opened, and why. */
  readonly unopened: readonly { readonly tenant: string; readonly message: string }[]
  /** Pump threads lost since the hub started. */
  readonly lostThreads: number
}

const MIB = 1024 ** 2
const GIB = 1024 ** 3
/** With less a commit may not find room: see log/storage.ts. */
const FULL_BYTES = 64 * MIB
/** Less than a twentieth of a disk is little, on large ones not before it is 10 GiB, on small ones at 512 MiB. */
const lowBytes = (total: number): number => Math.max(512 * MIB, Math.min(total / 20, 10 * GIB))

const SILENT_MS = 15_000
const DEAD_MS = 60_000
const LOSSES = 3
const LOSSES_MS = 10 * 60_000
const BEHIND = 10_000
const BEHIND_MS = 5 * 60_000

/** `past`: what was seen before, oldest first. */
export function assess(now: Facts, past: readonly Facts[]): readonly Reason[] {
  return [
    ...now.disks.flatMap(diskReasons),
    ...threadReasons(now, past),
    ...now.unopened.map(unopenedReason),
    ...now.tenants.flatMap((tenant) => [
      ...writerReasons(tenant, now, past),
      ...graphReasons(tenant, now, past),
      ...backupReasons(tenant),
    ]),
  ]
}

/** How far back {@link assess} looks. */
export const PAST_MS = Math.max(LOSSES_MS, BEHIND_MS, DEAD_MS) + 60_000

function diskReasons({ what, path, freeBytes, totalBytes }: Disk): Reason[] {
  if (freeBytes >= lowBytes(totalBytes)) return []
  const isFull = what === 'data' && freeBytes < FULL_BYTES
  return [
    {
      code: isFull ? 'disk-full' : 'disk-low',
      severity: isFull ? 'not-ready' : 'unwell',
      message: `The disk of ${what === 'data' ? 'the data folder' : 'the folder for backups'} ${path} has ${sizeText(freeBytes)} left of ${sizeText(totalBytes)}.`,
      hint: 'Make room, or move the folder to a larger disk. What was acknowledged is stored; pipes go on by themselves once there is room.',
      tenant: null,
    },
  ]
}

function threadReasons(now: Facts, past: readonly Facts[]): Reason[] {
  const before = past.find(({ at }) => now.at - at <= LOSSES_MS)
  const lost = now.lostThreads - (before ?? now).lostThreads
  if (lost < LOSSES) return []
  return [
    {
      code: 'pump-threads-lost',
      severity: 'unwell',
      message: `${lost} pump threads were lost in the last ${LOSSES_MS / 60_000} minutes.`,
      hint: 'GET /api/status says which pipes cost them (last-loss). Give these a smaller batch_size, or disable them.',
      tenant: null,
    },
  ]
}

const unopenedReason = ({ tenant, message }: Facts['unopened'][number]): Reason => ({
  code: 'tenant-not-open',
  severity: 'not-ready',
  message: `The tenant '${tenant}' could not be opened: ${message}`,
  hint: 'The others run. Look at its data with samtale verify, restore it from a backup if need be, and start the hub again.',
  tenant,
})

function writerReasons({ name, beats }: TenantFacts, now: Facts, past: readonly Facts[]): Reason[] {
  const silentMs = sinceWhen(now, past, (facts) => tenantIn(facts, name)?.beats === beats)
  if (silentMs < SILENT_MS) return []
  return [
    {
      code: 'writer-stuck',
      severity: silentMs < DEAD_MS ? 'not-ready' : 'dead',
      message: `The writer of tenant '${name}' has not answered for ${Math.round(silentMs / 1000)} s.`,
      hint: 'Most likely the disk does not answer: look at it. After two minutes the hub ends by itself, to be started again.',
      tenant: name,
    },
  ]
}

function graphReasons({ name, graph }: TenantFacts, now: Facts, past: readonly Facts[]): Reason[] {
  if (graph === null) return []
  if (graph.state !== 'ready') {
    return [
      {
        code: 'graph-not-ready',
        severity: 'not-ready',
        message: `The graph of tenant '${name}' is ${graph.state}.`,
        hint: 'It is made again from the log by itself; everything but SPARQL answers meanwhile.',
        tenant: name,
      },
    ]
  }
  const behindMs = sinceWhen(now, past, (facts) => (tenantIn(facts, name)?.graph?.lag ?? 0) > BEHIND)
  if (behindMs < BEHIND_MS) return []
  return [
    {
      code: 'graph-behind',
      severity: 'unwell',
      message: `The graph of tenant '${name}' has been more than ${BEHIND} entities behind for ${Math.round(behindMs / 60_000)} minutes.`,
      hint: 'Queries answer from older data. Project fewer datasets, or give the hub more processors.',
      tenant: name,
    },
  ]
}

function backupReasons({ name, backupTrouble }: TenantFacts): Reason[] {
  if (backupTrouble === null) return []
  return [
    {
      code: 'backup-trouble',
      severity: 'unwell',
      message: `Backups of tenant '${name}': ${backupTrouble}`,
      hint: 'GET /api/backups lists them. Check the folder for backups and its disk, then start one with POST /api/backups.',
      tenant: name,
    },
  ]
}

/** For how long it has been so, as far as was seen; 0 when it is not. */
function sinceWhen(now: Facts, past: readonly Facts[], isSo: (facts: Facts) => boolean): number {
  if (!isSo(now)) return 0
  let since = now.at
  for (const facts of past.toReversed()) {
    if (!isSo(facts)) break
    since = facts.at
  }
  return now.at - since
}

const tenantIn = (facts: Facts, name: string): TenantFacts | undefined =>
  facts.tenants.find((tenant) => tenant.name === name)

export const sizeText = (bytes: number): string =>
  bytes < GIB ? `${Math.floor(bytes / MIB)} MiB` : `${(bytes / GIB).toFixed(1)} GiB`
