/** A log is read by other processes while one writes. */

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { runCommand } from '../../src/cli/commands.ts'
import type { DatasetView } from '../../src/log/contract.ts'
import { openLog } from '../../src/log/reader.ts'
import { fakeTerminal } from '../cli/fake-terminal.ts'
import { folder, openedLog, reading, write } from './sample.ts'

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

function start(what: 'write' | 'read', path: string): ChildProcess {
  const entry = fileURLToPath(new URL('./second-process-child.ts', import.meta.url))
  const child = fork(entry, [what, path], { execArgv: ['--import', TSX] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

const heard = async (child: ChildProcess): Promise<number> => ((await once(child, 'message')) as [number])[0]

it('reads whole commits while another process writes', async () => {
  const path = folder()
  const child = start('write', path)
  await heard(child)
  const log = openLog(path)
  const seen = new Set<string>()
  for (let round = 0; round < 150; round++) {
    reading(log, (snapshot) => {
      const view = snapshot.dataset('d') as DatasetView
      const batch = snapshot.offset('o') as string
      seen.add(batch)
      const entities = [...view.entities()].map(({ body }) => JSON.parse(Buffer.from(body).toString()))
      expect(entities).toHaveLength(20)
      for (const entity of entities) expect(String(entity.batch)).toBe(batch)
      expect([...view.changes(view.counts().end - 21)].map(({ id }) => id)).toHaveLength(20)
      expect(JSON.parse(Buffer.from(view.latest('e7')?.body as Uint8Array).toString()).batch).toBe(Number(batch))
    })
    if (round % 10 === 0) await heard(child)
  }
  log.close()
  expect(seen.size).toBeGreaterThan(5)
}, 60_000)

it('shows datasets and versions from the command line while a hub writes', async () => {
  const root = folder()
  const path = join(root, 'tenants', 'default', 'log')
  const child = start('write', path)
  while ((await heard(child)) < 3);
  const type = async (...typed: string[]) => {
    const terminal = fakeTerminal()
    return { code: await runCommand([...typed, '--data', root], {}, terminal), out: terminal.out }
  }
  const { code, out } = await type('datasets')
  expect(code).toBe(0)
  expect(out[1]).toMatch(/^d +20 +0 +[\d,]+ +no +[0-9a-f]{8} +0$/)
  const versions = JSON.parse((await type('entity', 'd', 'e1', '--json')).out[0] as string)
  expect(versions.length).toBeGreaterThan(3)
  expect(versions[1].changes).toContainEqual({ property: 'batch', before: 0, after: 1 })
  expect(child.exitCode).toBeNull()
}, 60_000)

it('gives back what a killed process read, so that the file does not grow for it', async () => {
  const { path, writer } = await openedLog()
  const put = async (rounds: number) => {
    for (let i = 0; i < rounds; i++) {
      const entities = Array.from({ length: 20 }, (_, n) => ({ _id: `e${n}`, i, text: `${i}`.repeat(900) }))
      await writer.commit({
        state: entities.map((one) => [Buffer.from(one._id), Buffer.from(JSON.stringify(one))] as const),
      })
    }
    return statSync(join(path, 'data.mdb')).size
  }
  await put(20)
  const child = start('read', path)
  while ((await heard(child)) < 6);
  const held = await put(150)
  child.kill('SIGKILL')
  await once(child, 'exit')
  writer.checkReaders()
  await put(10)
  const given = await put(150)
  // Pages that the dead reader held are used again.
  expect(given).toBeLessThan(held * 1.2)
  await writer.commit({ writes: [write('d', [{ _id: 'a' }])] })
}, 60_000)
