import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runCommand } from '../../src/cli/commands.ts'
import { openHub, receiver, temporaryFolder } from '../hub/running-hub.ts'
import { fakeTerminal } from './fake-terminal.ts'

async function typed(environment: Record<string, string>, ...words: string[]) {
  const terminal = fakeTerminal()
  const code = await runCommand(words, environment, terminal)
  return { code, out: terminal.out.join('\n'), err: terminal.err.join('\n') }
}

it('puts the configuration back, lists what is kept, and says when there is nothing to go back to', async () => {
  const { node, tenant, data } = await openHub()
  expect((await typed({}, 'rollback', '--data', data)).err).toContain('in use')
  await tenant.replaceConfig(JSON.stringify([receiver('a'), receiver('b')]), false)
  await tenant.replaceConfig('[]', true)
  await node.close()
  const list = JSON.parse((await typed({}, 'rollback', '--list', '--json', '--data', data)).out)
  expect(list).toMatchObject([
    { generation: 3, kind: 'config', present: true },
    { generation: 2 },
    { generation: 1, time: null },
  ])
  const back = await typed({}, 'rollback', '--data', data)
  expect(back).toMatchObject({ code: 0, out: 'The configuration is back: 2 components. This is generation 4.' })
  const again = await typed({}, 'rollback', '--to', '1', '--json', '--data', data)
  expect(JSON.parse(again.out)).toMatchObject({ generation: 5, components: 0, problems: [] })
  expect(await typed({}, 'rollback', '--to', '77', '--data', data)).toMatchObject({
    code: 1,
    err: expect.stringContaining('Kept are'),
  })
  expect((await typed({}, 'rollback', '--to', 'x', '--data', data)).code).toBe(2)
  expect((await typed({}, 'rollback', '--help')).out).toContain('POST /api/config-rollback')
})

it('seals secrets with another master key, and a restore says which one is missing', async () => {
  const backups = await temporaryFolder()
  const { node, tenant, data } = await openHub()
  await node.createTenant('other')
  await tenant.secrets.set(null, new Map([['pw', 'v']]), true)
  await node.tenant('other')?.secrets.set(null, new Map([['pw', 'w']]), true)
  await node.close()
  const key = () => readFileSync(join(data, 'master.key'), 'utf8')
  const former = key()
  expect((await typed({}, 'backup', backups, '--data', data)).code).toBe(0)
  const rotated = JSON.parse((await typed({}, 'secrets', 'rotate', '--json', '--data', data)).out)
  expect(rotated.tenants).toEqual([
    { tenant: 'default', secrets: 1 },
    { tenant: 'other', secrets: 1 },
  ])
  expect(key()).not.toBe(former)
  expect(existsSync(join(data, 'master.key.next'))).toBe(false)
  // To a key that somebody keeps elsewhere, by whom the hub is given it from then on.
  const file = join(backups, 'key')
  writeFileSync(file, 'ab'.repeat(32))
  expect((await typed({}, 'secrets', 'rotate', '--new-key-file', file, '--data', data)).out).toContain('1 sealed anew')
  const given = { SAMTALE_MASTER_KEY_FILE: file }
  expect((await typed(given, 'secrets', 'list', '--data', data)).out).toBe('pw')
  expect(
    (await typed({ SAMTALE_MASTER_KEY: 'ab'.repeat(32) }, 'secrets', 'delete', 'pw', '--json', '--data', data)).out,
  ).toBe('[]')
  expect((await typed({ SAMTALE_MASTER_KEY: 'short' }, 'secrets', 'list', '--data', data)).err).toContain('32 bytes')
  expect((await typed({}, 'secrets', 'fly', '--data', data)).code).toBe(2)
  const elsewhere = join(await temporaryFolder(), 'data')
  const restored = await typed({}, 'restore', backups, '--data', elsewhere)
  expect(restored.code).toBe(0)
  expect(restored.err).toMatch(
    /default: A secret is sealed with the master key [0-9a-f]{16}, which this hub does not have/,
  )
  writeFileSync(join(elsewhere, 'master.key'), former)
  expect((await typed({}, 'restore', backups, '--data', elsewhere)).err).toBe('')
})
