import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { logKey } from '../../src/log/keys.ts'
import { quickLook } from '../../src/log/verify/quick.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { flip, harm, sampleLog } from './verify/harm.ts'

it('leaves a mark while a writer has the folder, and only then', async () => {
  const path = await sampleLog()
  expect(existsSync(join(path, 'running'))).toBe(false)
  const writer = await LogWriter.open(path)
  expect(readFileSync(join(path, 'running'), 'utf8')).toBe(`${process.pid}\n`)
  await writer.close()
  expect(existsSync(join(path, 'running'))).toBe(false)
})

it('opens a sound log after an unclean end', async () => {
  const path = await sampleLog()
  writeFileSync(join(path, 'running'), '1\n')
  await (await LogWriter.open(path)).close()
  expect(existsSync(join(path, 'running'))).toBe(false)
})

it('does not open a log after an unclean end that lost its tail', async () => {
  const path = await sampleLog()
  writeFileSync(join(path, 'running'), '1\n')
  await harm(path, ({ tables }) => flip(tables.log, logKey(1, 0), 40))
  await expect(LogWriter.open(path)).rejects.toMatchObject({
    code: 'log-damaged',
    message: expect.stringContaining('checksum'),
  })
  await expect(LogWriter.open(path)).rejects.toMatchObject({ code: 'log-damaged' })
})

it('survives a log that ends the process which looks at it', async () => {
  const path = await sampleLog()
  writeFileSync(join(path, 'running'), '1\n')
  truncateSync(join(path, 'data.mdb'), 8192)
  await expect(LogWriter.open(path)).rejects.toMatchObject({ code: 'log-damaged' })
})

it('looks at a sound log and an empty one without complaint, however little time there is', async () => {
  const path = await sampleLog()
  expect(quickLook(path)).toEqual({ isSound: true, message: '' })
  expect(quickLook(path, 0)).toEqual({ isSound: true, message: '' })
})
