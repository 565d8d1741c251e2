import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readArguments } from '../../src/cli/arguments.ts'
import { authenticates } from '../../src/cli/authentication.ts'
import { usages } from '../../src/cli/usage.ts'
import { Access } from '../../src/hub/access/access.ts'

const [empty, used] = [1, 2].map(() => mkdtempSync(join(tmpdir(), 'samtale-auth-'))) as [string, string]
beforeAll(async () => {
  await new Access(used, 'n').users.add({ email: 'a@b.c', name: null, roles: [], tenants: null, password: null })
})
afterAll(() => {
  for (const folder of [empty, used]) rmSync(folder, { recursive: true })
})

const asked = (host: string, data: string, ...typed: string[]): boolean | string => {
  try {
    return authenticates(readArguments(usages.serve, typed, {}), { host, data })
  } catch (error) {
    return (error as Error).message
  }
}

it.each([
  ['127.0.0.1', empty, [], true],
  ['127.0.0.1', empty, ['--developer'], false],
  ['::1', empty, ['--developer'], false],
  ['localhost', used, ['--developer'], true],
  ['localhost', used, ['--developer', '--auth', 'off'], false],
  ['localhost', empty, ['--developer', '--auth', 'on'], true],
  ['0.0.0.0', empty, [], true],
  ['0.0.0.0', empty, ['--developer'], true],
  ['::', empty, ['--developer'], true],
  ['hub.example.org', empty, ['--developer'], true],
  ['127.0.0.1.example.org', empty, ['--developer'], true],
] as const)('asks whoever comes to %s over %s with %j: %s', (host, data, typed, isAsked) => {
  expect(asked(host, data, ...typed)).toBe(isAsked)
})

it('refuses to ask nobody anywhere but on a developer’s own machine, and says what to do', () => {
  expect(asked('0.0.0.0', empty, '--developer', '--auth', 'off')).toMatch(
    /who reaches 0\.0\.0\.0.*Leave --auth out, or --host/,
  )
  expect(asked('127.0.0.1', empty, '--auth', 'off')).toMatch(/needs --developer/)
  expect(asked('127.0.0.1', empty, '--auth', 'no')).toMatch(/neither on nor off/)
})
