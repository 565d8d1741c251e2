import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { runCommand } from '../../src/cli/commands.ts'
import { openLog } from '../../src/log/reader.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { reading, write } from '../log/sample.ts'
import { fakeTerminal } from './fake-terminal.ts'

const root = mkdtempSync(join(tmpdir(), 'samtale-backup-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

async function type(...typed: string[]) {
  const terminal = fakeTerminal()
  const code = await runCommand(typed, {}, terminal)
  return { code, out: terminal.out.join('\n'), err: terminal.err.join('\n') }
}

it('backs up while a hub has the data, in full and then what is new, and restores all tenants', async () => {
  const data = join(root, 'data')
  const backups = join(root, 'backups')
  const log = (tenant: string, folder = data) => join(folder, 'tenants', tenant, 'log')
  for (const tenant of ['default', 'other']) mkdirSync(log(tenant), { recursive: true })
  writeFileSync(join(data, 'node.json'), JSON.stringify({ id: 'n', base: 'https://hub.example' }))
  const writers = await Promise.all(['default', 'other'].map((tenant) => LogWriter.open(log(tenant))))
  const put = async (id: string) => {
    for (const writer of writers) {
      await writer.assertDataset('d')
      await writer.commit({ writes: [write('d', [{ _id: id }])] })
    }
  }
  await put('a')
  expect((await type('backup', backups, '--data', data)).out).toMatch(
    /^default: full backup \S+, [\d,]+ bytes, 1 dataset\.\nother: full/,
  )
  await put('b')
  expect((await type('backup', backups, '--data', data, '--tenant', 'other')).out).toMatch(/^other: incremental backup/)
  expect(await type('restore', backups, '--data', data)).toMatchObject({
    code: 1,
    err: expect.stringContaining('in use'),
  })
  for (const writer of writers) await writer.close()
  const restored = join(root, 'restored')
  const { code, out } = await type('restore', backups, '--data', restored)
  expect(out).toMatch(/^default: restored to .*\nother: restored to /)
  expect(code).toBe(0)
  expect(JSON.parse(readFileSync(join(restored, 'node.json'), 'utf8'))).toEqual({
    id: 'n',
    base: 'https://hub.example',
  })
  for (const [tenant, count] of [
    ['default', 1],
    ['other', 2],
  ] as const) {
    const reader = openLog(log(tenant, restored))
    expect(reading(reader, (snapshot) => snapshot.dataset('d')?.counts().existing)).toBe(count)
    reader.close()
  }
  const [oldest] = readdirSync(join(backups, 'other')).sort()
  const back = await type(
    'restore',
    backups,
    '--data',
    restored,
    '--tenant',
    'other',
    '--backup',
    oldest as string,
    '--json',
  )
  expect(JSON.parse(back.out)).toMatchObject([
    { id: oldest, kind: 'full', tenant: 'other', restore: expect.any(String) },
  ])
}, 120_000)

it('says what cannot be restored', async () => {
  expect(await type('restore', join(root, 'nothing'))).toMatchObject({ code: 2 })
  expect(await type('backup', join(root, 'x'), '--data', join(root, 'nothing'))).toMatchObject({ code: 2 })
  mkdirSync(join(root, 'empty'))
  expect(await type('restore', join(root, 'empty'))).toMatchObject({ code: 2 })
  expect(await type('restore', join(root, 'empty'), '--backup', 'x')).toMatchObject({
    code: 2,
    err: expect.stringContaining('--tenant'),
  })
})
