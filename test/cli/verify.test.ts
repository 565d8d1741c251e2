import { mkdirSync, mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { runCommand } from '../../src/cli/commands.ts'
import { openForWriting } from '../../src/log/environment.ts'
import { latestKey } from '../../src/log/keys.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { bytes, write } from '../log/sample.ts'
import { fakeTerminal } from './fake-terminal.ts'

const root = mkdtempSync(join(tmpdir(), 'samtale-verify-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let folders = 0

async function dataFolder(): Promise<{ data: string; log: string }> {
  const data = join(root, String(++folders))
  const log = join(data, 'tenants', 'default', 'log')
  mkdirSync(log, { recursive: true })
  const writer = await LogWriter.open(log)
  await writer.assertDataset('d')
  const entities = Array.from({ length: 3_000 }, (_, i) => ({ _id: `id${i}`, text: `${i}`.repeat(50) }))
  await writer.commit({ writes: [write('d', entities)] })
  await writer.close()
  return { data, log }
}

async function verify(...typed: string[]) {
  const terminal = fakeTerminal()
  const code = await runCommand(['verify', ...typed], {}, terminal)
  return { code, out: terminal.out.join('\n'), err: terminal.err.join('\n') }
}

it('says that all is well, and what it looked at', async () => {
  const { data } = await dataFolder()
  const { code, out } = await verify('--data', data)
  expect(out).toBe('default: 1 datasets, 3,000 ids, 3,000 versions, 0 index rows; all is well.')
  expect(code).toBe(0)
})

it('verifies while a hub writes', async () => {
  const { data, log } = await dataFolder()
  const writer = await LogWriter.open(log)
  const { code } = await verify('--data', data)
  await writer.close()
  expect(code).toBe(0)
})

it('names what is wrong and its place, and makes it anew when asked to', async () => {
  const { data, log } = await dataFolder()
  const environment = openForWriting(log)
  environment.write(() => environment.tables.latest.remove(latestKey(1, bytes('id77'))))
  await environment.close()
  const found = await verify('--data', data, '--json')
  expect(found.code).toBe(1)
  expect(JSON.parse(found.out)).toMatchObject([
    {
      tenant: 'default',
      count: 3,
      findings: [{ law: 'latest', place: { dataset: 'd', id: 'id77' } }, { law: 'counts' }, { law: 'counts' }],
    },
  ])
  const rebuilt = await verify('--data', data, '--rebuild')
  expect(rebuilt.out).toContain('rebuilt d from the log')
  expect(rebuilt.code).toBe(0)
  expect((await verify('--data', data)).code).toBe(0)
})

it('reports the end of the process that reads, and how far it came', async () => {
  const { data, log } = await dataFolder()
  // Pages that the tree names are not in the file any more: whoever touches one is ended by SIGBUS.
  truncateSync(join(log, 'data.mdb'), 64 * 1024)
  const { code, out } = await verify('--data', data)
  expect(out).toMatch(/reader-died default.*: The process that read the log was ended by SIG|unreadable/)
  expect(code).toBe(1)
})

it('names the tenant that was meant', async () => {
  const { data } = await dataFolder()
  expect(await verify('--data', data, '--tenant', 'defualt')).toMatchObject({
    code: 2,
    err: expect.stringContaining('default'),
  })
  expect(await verify('--data', join(root, 'nothing'))).toMatchObject({ code: 2 })
})
