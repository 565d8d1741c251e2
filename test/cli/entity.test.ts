import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runCommand } from '../../src/cli/commands.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { write } from '../log/sample.ts'
import { fakeTerminal } from './fake-terminal.ts'

const root = mkdtempSync(join(tmpdir(), 'samtale-entity-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

beforeAll(async () => {
  const log = join(root, 'tenants', 'default', 'log')
  mkdirSync(log, { recursive: true })
  const writer = await LogWriter.open(log, { now: () => Date.parse('2026-01-02T03:04:05Z') * 1000 })
  await writer.assertDataset('crm-person')
  await writer.assertIndex('crm-person', 'p', '')
  const put = (json: object) =>
    writer.commit({
      writes: [write('crm-person', [{ _id: 'a', ...json }], { indexSet: 1 })],
      populated: [['crm-person', true]],
    })
  await put({ name: 'Ann', age: 3, text: 'x'.repeat(300) })
  await put({ name: 'Anna', text: 'x'.repeat(300) })
  await put({ name: 'Anna', _deleted: true })
  await writer.close()
})

async function type(...typed: string[]) {
  const terminal = fakeTerminal()
  const code = await runCommand([...typed, '--data', root], {}, terminal)
  return { code, out: terminal.out, err: terminal.err.join('\n') }
}

it('lists datasets', async () => {
  const { code, out } = await type('datasets')
  expect(code).toBe(0)
  expect(out[0]).toMatch(/^dataset +entities +deleted +versions +populated +generation +indexes$/)
  expect(out[1]).toMatch(/^crm-person +0 +1 +3 +yes +[0-9a-f]{8} +1$/)
  expect(out[2]).toMatch(/^1 dataset in a file of [\d.]+ MB\.$/)
  const { datasets } = JSON.parse((await type('datasets', '--json', '--bytes')).out[0] as string)
  expect(datasets).toMatchObject([
    { id: 'crm-person', deleted: 1, versions: 3, restore: null, indexes: [{ expression: 'p', state: 'ready' }] },
  ])
  expect(datasets[0].bytes).toBeGreaterThan(600)
})

it('shows the versions of an entity with their differences, long values cut', async () => {
  const { code, out } = await type('entity', 'crm-person', 'a')
  expect(code).toBe(0)
  expect(out.map((line) => line.replace(/[0-9a-f]{8}/, 'HASH'))).toEqual([
    '0  2026-01-02T03:04:05.000Z  HASH',
    '  + name: "Ann"',
    '  + age: 3',
    `  + text: "${'x'.repeat(99)}… (302 characters)`,
    '1  2026-01-02T03:04:05.000Z  HASH',
    '  - name: "Ann"',
    '  + name: "Anna"',
    '  - age: 3',
    '2  2026-01-02T03:04:05.000Z  HASH  deleted',
    `  - text: "${'x'.repeat(99)}… (302 characters)`,
  ])
  expect(JSON.parse((await type('entity', 'crm-person', 'a', '--json')).out[0] as string)).toMatchObject([
    { sequence: 0, previous: null, values: { name: 'Ann', age: 3 } },
    {
      sequence: 1,
      previous: 0,
      changes: [
        { property: 'name', before: 'Ann', after: 'Anna' },
        { property: 'age', before: 3 },
      ],
    },
    { sequence: 2, previous: 1, deleted: true },
  ])
})

it('names what was meant', async () => {
  expect(await type('entity', 'crm-persn', 'a')).toMatchObject({ code: 2, err: expect.stringContaining('crm-person') })
  expect(await type('entity', 'crm-person', 'b')).toMatchObject({ code: 1, err: expect.stringContaining("'b'") })
})
