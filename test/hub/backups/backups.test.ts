import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { readManifests } from '../../../src/hub/backups/manifest.ts'
import { restoreTenant } from '../../../src/hub/backups/restore.ts'
import { datasetHeaders } from '../../../src/hub/datasets.ts'
import type { HubTenant } from '../../../src/hub/tenant.ts'
import { deploy, live, openHub, push, receiver, stored, temporaryFolder } from '../running-hub.ts'

const SOON = { timeout: 20_000 }

const ended = (tenant: HubTenant, id: string) =>
  vi.waitFor(
    () => {
      const document = JSON.parse(tenant.backup(id) as string)
      expect(document.status).not.toBe('running')
      return document as { status: string; kind: string; bytes: number; message: string | null }
    },
    { timeout: 30_000, interval: 50 },
  )

async function backUp(tenant: HubTenant, isFull = false) {
  const { _id: id } = JSON.parse(tenant.startBackup(isFull)) as { _id: string }
  return { id, ...(await ended(tenant, id)) }
}

it('backs up a running hub, restores it into another folder, and says so', async () => {
  const folder = await temporaryFolder()
  const { node, tenant, data } = await openHub({ backup: { folder } })
  await deploy(tenant, receiver('in'), {
    _id: 'copy',
    type: 'pipe',
    source: { type: 'dataset', dataset: 'in' },
    transform: {
      type: 'dtl',
      rules: {
        default: [
          ['copy', '*'],
          ['add', 'seen', true],
        ],
      },
    },
  })
  await push(tenant, 'in', [
    { _id: 'a', v: 1 },
    { _id: 'b', v: 1 },
  ])
  await tenant.runNow('copy')
  const first = await backUp(tenant)
  expect(first).toMatchObject({ status: 'completed', kind: 'full', message: null })
  await push(tenant, 'in', [
    { _id: 'b', v: 2 },
    { _id: 'c', v: 2 },
  ])
  const second = await backUp(tenant)
  expect(second).toMatchObject({ status: 'completed', kind: 'incremental' })
  const [before, generation] = [
    await stored(tenant, 'in', true),
    JSON.parse(tenant.dataset('in') as string).runtime.generation,
  ]
  await push(tenant, 'in', [{ _id: 'd', v: 3 }])
  expect(tenant.backups().map((text) => JSON.parse(text)._id)).toEqual([second.id, first.id])
  await vi.waitFor(
    async () =>
      expect(await live(tenant, 'system:backup')).toMatchObject([
        { _id: first.id, kind: 'full', status: 'completed' },
        { _id: second.id, kind: 'incremental', status: 'completed' },
      ]),
    SOON,
  )
  expect(tenant.backupHealth()).toBe('healthy')
  expect(datasetHeaders(tenant, 'in')).not.toHaveProperty('X-Dataset-Restore-Uuid')
  // Not while the hub runs.
  await expect(restoreTenant({ repository: folder, tenant: 'default', data })).rejects.toMatchObject({
    code: 'data-in-use',
  })
  await node.close()

  const elsewhere = await temporaryFolder()
  const { uuid } = await restoreTenant({ repository: folder, tenant: 'default', data: elsewhere })
  expect(readFileSync(join(elsewhere, 'node.json'), 'utf8')).toBe(readFileSync(join(data, 'node.json'), 'utf8'))
  const again = await openHub({ data: elsewhere })
  expect(await stored(again.tenant, 'in', true)).toEqual(before)
  expect(datasetHeaders(again.tenant, 'in')).toMatchObject({
    'X-Dataset-Restore-Uuid': uuid,
    'X-Dataset-Restore-Offset': '3',
  })
  expect(datasetHeaders(again.tenant, 'in')['X-Dataset-Generation']).not.toBe(generation)
  expect(JSON.parse(again.tenant.dataset('in') as string).runtime).toMatchObject({
    'restore-uuid': uuid,
    'restore-offset': 3,
  })
  expect((await stored(again.tenant, 'system:pump_execution:copy')).at(-1)).toMatchObject({
    _id: 'restore-completed',
    pipe: 'copy',
    restore_uuid: uuid,
    event_time: expect.any(String),
  })
  // The pipe goes on where the backup was.
  expect(await again.tenant.runNow('copy')).toMatchObject({ outcome: 'completed', read: 2, changes: 2 })
  await again.node.close()

  // Back to the first, in the place of the later.
  await restoreTenant({ repository: folder, tenant: 'default', data: elsewhere, id: first.id })
  const earlier = await openHub({ data: elsewhere })
  expect(await live(earlier.tenant, 'in')).toMatchObject([{ _id: 'a' }, { _id: 'b', v: 1 }])
  expect(readdirSync(join(elsewhere, 'tenants/default')).filter((name) => name.startsWith('log'))).toEqual(['log'])
}, 120_000)

it('leaves what is there when a backup is damaged, missing a part, or of another base', async () => {
  const folder = await temporaryFolder()
  const { node, tenant, data } = await openHub({ backup: { folder } })
  await deploy(tenant, receiver('in'))
  await push(tenant, 'in', [{ _id: 'a' }])
  const { id } = await backUp(tenant)
  await push(tenant, 'in', [{ _id: 'b' }])
  await backUp(tenant)
  await node.close()
  const restore = (more: object = {}) => restoreTenant({ repository: folder, tenant: 'default', data, ...more })
  const file = join(folder, 'default', id, 'data.mdb')
  const bytes = readFileSync(file)
  bytes[5_000] = (bytes[5_000] as number) ^ 1
  writeFileSync(file, bytes)
  await expect(restore()).rejects.toMatchObject({ code: 'bad-backup', message: expect.stringContaining('hash') })
  rmSync(join(folder, 'default', id), { recursive: true })
  await expect(restore()).rejects.toMatchObject({ code: 'bad-backup', message: expect.stringContaining(id) })
  await expect(restore({ id: 'nothing' })).rejects.toMatchObject({ code: 'unknown-backup' })
  await expect(restore({ tenant: 'other' })).rejects.toMatchObject({ code: 'unknown-backup' })
  const again = await openHub({ data })
  expect(await live(again.tenant, 'in')).toMatchObject([{ _id: 'a' }, { _id: 'b' }])
  await again.node.close()
  const other = await temporaryFolder()
  writeFileSync(join(other, 'node.json'), JSON.stringify({ id: 'x', base: 'https://other.example' }))
  const [manifest] = readManifests(folder, 'default')
  writeFileSync(
    join(folder, 'default', manifest?.id as string, 'manifest.json'),
    JSON.stringify({ ...manifest, parent: null }),
  )
  await expect(restore({ data: other })).rejects.toMatchObject({ code: 'base-differs' })
}, 60_000)

it('finishes a restore that was cut short between its two steps, one way or the other', async () => {
  const { node, tenant, data } = await openHub()
  await deploy(tenant, receiver('in'))
  await push(tenant, 'in', [{ _id: 'a' }])
  await node.close()
  const folder = join(data, 'tenants/default')
  renameSync(join(folder, 'log'), join(folder, 'log.before-restore'))
  const again = await openHub({ data })
  expect(await live(again.tenant, 'in')).toMatchObject([{ _id: 'a' }])
  await again.node.close()
  mkdirSync(join(folder, 'log.before-restore'))
  const oncemore = await openHub({ data })
  expect(existsSync(join(folder, 'log.before-restore'))).toBe(false)
  expect(await live(oncemore.tenant, 'in')).toMatchObject([{ _id: 'a' }])
}, 60_000)

it('makes one by the clock, and none without a folder', async () => {
  const folder = await temporaryFolder()
  const { node, tenant } = await openHub({ backup: { folder, intervalMs: 3_600_000 } })
  node.startPumps()
  await vi.waitFor(() => expect(readManifests(folder, 'default')).toHaveLength(1), { timeout: 30_000, interval: 50 })
  // It is whole on disk a moment before it is told.
  await vi.waitFor(() => expect(JSON.parse(tenant.backups()[0] as string)).toMatchObject({ kind: 'full' }), SOON)
  await node.close()
  expect(readdirSync(join(folder, 'default')).some((name) => name.endsWith('.part'))).toBe(false)
  const without = await openHub()
  without.node.startPumps()
  expect(() => without.tenant.startBackup(false)).toThrow(expect.objectContaining({ code: 'no-backup-folder' }))
  expect(without.tenant.backupHealth()).toBe('unknown')
}, 60_000)

it('reports a backup that failed, and leaves nothing half', async () => {
  const folder = await temporaryFolder()
  writeFileSync(join(folder, 'default'), 'a file where the folder of the tenant should be')
  const { tenant } = await openHub({ backup: { folder } })
  const { status, message } = await backUp(tenant)
  expect(status).toBe('failed')
  expect(message).toBeTruthy()
  expect(tenant.backupHealth()).toBe('unhealthy')
  await vi.waitFor(async () => expect(await live(tenant, 'system:backup')).toMatchObject([{ status: 'failed' }]), SOON)
}, 60_000)
