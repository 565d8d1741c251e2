/** Makes a backup of a tenant's log, in a process of its own: a damaged page could end it, and the hub hears of it instead. */

import { mkdirSync, renameSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import type { BackupMessage } from '../../log/backup/protocol.ts'
import { runChild } from '../../log/child.ts'
import { HubError } from '../errors.ts'
import { MANIFEST, type Manifest, PART, readManifests, tenantFolder, writeManifest } from './manifest.ts'

export interface BackupOrder {
  /** Folder of all backups. */
  readonly repository: string
  readonly tenant: string
  /** Folder of the tenant's log. */
  readonly log: string
  readonly node: Manifest['node']
  /** Not on top of an earlier one. */
  readonly isFull: boolean
  /** Milliseconds since 1970. */
  readonly now: number
  readonly signal?: AbortSignal
}

/** Increments on one full backup; the next backup is a full one again. */
const LONGEST_CHAIN = 7
/** Copying says nothing until it is done. */
const SILENCE_MS = 6 * 3_600_000

/** Under another name until it is whole. Codes: backup-failed, no-log and others of the log. */
export async function makeBackup(order: BackupOrder): Promise<Manifest> {
  const { repository, tenant, node, now } = order
  const parent = order.isFull ? null : parentOf(order)
  const kind = parent === null ? 'full' : 'incremental'
  const time = new Date(now).toISOString()
  const id = backupId(now)
  const folder = join(tenantFolder(repository, tenant), id)
  const part = `${folder}${PART}`
  mkdirSync(tenantFolder(repository, tenant), { recursive: true })
  mkdirSync(part)
  try {
    const before = parent === null ? [] : [join(tenantFolder(repository, tenant), parent.id, MANIFEST)]
    const { contents, file } = await copied([order.log, part, ...before], repository, order.signal)
    const manifest: Manifest = { format: 1, id, kind, parent: parent?.id ?? null, tenant, node, time, file, contents }
    // The locks of the copy's environment are of no use to anybody.
    rmSync(join(part, 'lock.mdb'), { force: true })
    writeManifest(part, manifest)
    renameSync(part, folder)
    return manifest
  } catch (error) {
    rmSync(part, { recursive: true, force: true })
    throw error
  }
}

/** Its name is its time: a backup is known by it while it is made. */
export const backupId = (now: number): string => new Date(now).toISOString().replaceAll(/[:.]/g, '-')

/** The newest one, when an increment on it makes sense. */
function parentOf({ repository, tenant, node }: BackupOrder): Manifest | null {
  const manifests = readManifests(repository, tenant)
  const newest = manifests.at(-1)
  if (newest === undefined || newest.node.id !== node.id) return null
  const byId = new Map(manifests.map((one) => [one.id, one]))
  let increments = 0
  for (let one: Manifest | undefined = newest; one.parent !== null; increments++) {
    const before: Manifest | undefined = byId.get(one.parent)
    if (before === undefined) return null
    one = before
  }
  return increments < LONGEST_CHAIN ? newest : null
}

async function copied(
  args: readonly string[],
  repository: string,
  signal: AbortSignal | undefined,
): Promise<BackupMessage & { type: 'done' }> {
  let said: BackupMessage | null = null
  const ended = await runChild<BackupMessage>(import.meta.url, '../../log/backup-child.ts', {
    args,
    silenceMs: SILENCE_MS,
    hear: (message) => {
      said = message
    },
    ...(signal === undefined ? {} : { signal }),
  })
  signal?.throwIfAborted()
  const message = said as BackupMessage | null
  if (message?.type === 'done') return message
  const why =
    message?.message ??
    `the process that made it was ended by ${ended.signal ?? `code ${ended.code}`}; the log may be damaged`
  throw new HubError('backup-failed', `No backup was made: ${why}`, {
    hint: message?.hint ?? 'Run `samtale verify` on the data folder, and look whether there is room for backups.',
    details: { repository, free: freeBytes(repository) },
  })
}

function freeBytes(path: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize
  } catch {
    return null
  }
}
