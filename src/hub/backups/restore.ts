/**
 * Restores a tenant's log from its backups: put together and verified beside the present one, which is taken away only once
 * the new one stands in its place. Pipes go on from the offsets of the backup.
 */

import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compareContents, restoreLog } from '../../log/backup/restore.ts'
import { fileOf } from '../../log/backup/write.ts'
import { claimFolder } from '../../log/claim.ts'
import type { Finding } from '../../log/verify/finding.ts'
import { HubError } from '../errors.ts'
import { verifyInChild } from '../verify.ts'
import { chainOf, type Manifest, readManifests, tenantFolder } from './manifest.ts'

export interface RestoreOrder {
  readonly repository: string
  readonly tenant: string
  /** The data folder of the hub. */
  readonly data: string
  /** A backup; otherwise the newest one. */
  readonly id?: string
  progress?(what: string): void
}

export interface Restored {
  readonly manifest: Manifest
  readonly uuid: string
}

const BEFORE = 'log.before-restore'
const STAGING = 'log.restoring'

/** Codes: unknown-backup, bad-backup, data-in-use, base-differs. */
export async function restoreTenant(order: RestoreOrder): Promise<Restored> {
  const { repository, tenant, data, progress = () => {} } = order
  const manifests = readManifests(repository, tenant)
  const manifest = order.id === undefined ? manifests.at(-1) : manifests.find(({ id }) => id === order.id)
  if (manifest === undefined) throw unknownBackup(order)
  const chain = chainOf(manifests, manifest.id)
  checkNode(data, manifest)
  const folder = join(data, 'tenants', tenant)
  mkdirSync(folder, { recursive: true })
  settleRestore(folder)
  const present = join(folder, 'log')
  mkdirSync(present, { recursive: true })
  const release = await claimFolder(present)
  const staging = join(folder, STAGING)
  try {
    rmSync(staging, { recursive: true, force: true })
    mkdirSync(staging)
    const uuid = randomUUID()
    progress('checking the files of the backup')
    const files = await checkedFiles(repository, chain)
    progress('putting the log together')
    await restoreLog(files[0] as string, files.slice(1), staging, uuid)
    progress('verifying it')
    await checkRestored(staging, manifest)
    replace(folder)
    writeNode(data, manifest)
    return { manifest, uuid }
  } finally {
    rmSync(staging, { recursive: true, force: true })
    await release()
  }
}

/** After a restore that was cut short between its two steps: the log is there again, or what was before it is gone. */
export function settleRestore(folder: string): void {
  const before = join(folder, BEFORE)
  if (!existsSync(before)) return
  if (existsSync(join(folder, 'log', 'data.mdb'))) rmSync(before, { recursive: true, force: true })
  else {
    rmSync(join(folder, 'log'), { recursive: true, force: true })
    renameSync(before, join(folder, 'log'))
  }
}

function replace(folder: string): void {
  renameSync(join(folder, 'log'), join(folder, BEFORE))
  renameSync(join(folder, STAGING), join(folder, 'log'))
  rmSync(join(folder, BEFORE), { recursive: true, force: true })
}

async function checkedFiles(repository: string, chain: readonly Manifest[]): Promise<string[]> {
  const paths: string[] = []
  for (const { id, tenant, file } of chain) {
    const folder = join(tenantFolder(repository, tenant), id)
    const found = existsSync(join(folder, file.name)) ? await fileOf(folder, file.name) : null
    if (found?.bytes !== file.bytes || found.sha256 !== file.sha256) {
      throw new HubError('bad-backup', `${join(folder, file.name)} is not what was written: its hash differs.`, {
        hint: 'The disk of the backups lost data. Restore an earlier backup.',
      })
    }
    paths.push(join(folder, file.name))
  }
  return paths
}

async function checkRestored(staging: string, manifest: Manifest): Promise<void> {
  const findings: Finding[] = []
  await verifyInChild(staging, { found: (finding) => void findings.push(finding) })
  if (findings.length > 0) {
    const [{ law, message, place }] = findings as [Finding]
    throw new HubError('bad-backup', `What was restored is damaged: ${message}`, {
      details: { law, place, findings: findings.length },
      hint: 'The present data was left as it was. Restore an earlier backup.',
    })
  }
  compareContents(staging, manifest.contents)
}

const nodeFile = (data: string): string => join(data, 'node.json')

/** Identifiers begin with the base: data of another one would not be found under its own names. */
function checkNode(data: string, { node }: Manifest): void {
  if (!existsSync(nodeFile(data))) return
  const { base } = JSON.parse(readFileSync(nodeFile(data), 'utf8')) as Partial<Manifest['node']>
  if (base === node.base) return
  throw new HubError('base-differs', `The backup has the base ${node.base}, and the data in ${data} has ${base}.`, {
    hint: 'Restore into a data folder that is empty, or of the same base.',
  })
}

function writeNode(data: string, { node }: Manifest): void {
  if (existsSync(nodeFile(data))) return
  writeFileSync(`${nodeFile(data)}.part`, `${JSON.stringify(node, null, 2)}\n`, { flush: true })
  renameSync(`${nodeFile(data)}.part`, nodeFile(data))
}

const unknownBackup = ({ repository, tenant, id }: RestoreOrder): HubError =>
  new HubError(
    'unknown-backup',
    id === undefined
      ? `There is no backup of the tenant '${tenant}' in ${repository}.`
      : `There is no backup '${id}' of the tenant '${tenant}' in ${repository}.`,
    { hint: 'Each tenant has a folder there, and each backup one in it.' },
  )
