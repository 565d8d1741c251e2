import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runCommand } from '../../src/cli/commands.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { PipeSchema } from '../../src/pipes/schema/pipe-schema.ts'
import { entity, write } from '../log/sample.ts'
import { fakeTerminal } from './fake-terminal.ts'

const root = mkdtempSync(join(tmpdir(), 'samtale-schema-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

beforeAll(async () => {
  const log = join(root, 'tenants', 'default', 'log')
  mkdirSync(log, { recursive: true })
  const writer = await LogWriter.open(log, { now: () => Date.parse('2026-01-02T03:04:05Z') * 1000 })
  await writer.assertDataset('crm-person')
  const people = [
    { _id: 'a', name: 'Ann', tags: ['x'], at: { city: 'Oslo' }, ref: '~:crm:1' },
    { _id: 'b', name: null, tags: [], at: { city: 'Bergen' } },
    { _id: 'c', _deleted: true },
  ]
  await writer.commit({ writes: [write('crm-person', people)] })
  const counted = new PipeSchema('p')
  const [read, made] = [entity({ _id: 'a', seen: 1 }), entity({ _id: 'a', made: true })]
  counted.note([read], [made], Date.parse('2026-01-03T00:00:00Z'))
  await writer.commit({ state: counted.take() })
  await writer.close()
})

async function type(...typed: string[]) {
  const terminal = fakeTerminal()
  const code = await runCommand(['schema', ...typed, '--data', root], {}, terminal)
  return { code, out: terminal.out, err: terminal.err.join('\n') }
}

it('shows a dataset as a table, read through', async () => {
  const { code, out } = await type('crm-person')
  expect(code).toBe(0)
  expect(out.map((line) => line.replace(/ {2,}/g, ' | '))).toEqual([
    'property | kinds | in | namespaces | since | samples',
    'at | dict | all | 2026-01-02',
    'at.city | string | all | 2026-01-02 | "Oslo" "Bergen"',
    'name | null, string | all | 2026-01-02 | "Ann"',
    'ref | ni | 50.0 % | crm | 2026-01-02 | "~:crm:1"',
    'tags | list | all | 2026-01-02',
    'tags[] | string | 0 to 1 each | 2026-01-02 | "x"',
    '2 entities seen, and 1 deleted, from 2026-01-02T03:04:05.000Z to 2026-01-02T03:04:05.000Z.',
  ])
})

it('shows what was counted for a pipe, either side, and JSON', async () => {
  expect((await type('p')).out[1]).toMatch(/^made +boolean +all +2026-01-03 +true$/)
  expect((await type('p', '--source')).out[1]).toMatch(/^seen +integer/)
  const json = JSON.parse((await type('p', '--json')).out.join('\n'))
  expect(json).toMatchObject({ metadata: { count: 1 }, properties: { made: { type: 'boolean' } } })
})

it('says what it does not know', async () => {
  expect(await type('crm-persom')).toMatchObject({
    code: 2,
    err: expect.stringContaining("Did you mean 'crm-person'?"),
  })
  expect(await type('crm-person', '--source')).toMatchObject({ code: 2, err: expect.stringContaining('reads') })
  expect((await type('--help')).out.join('\n')).toContain('samtale schema NAME')
})
