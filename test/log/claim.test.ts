import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { claimFolder, SOCKET } from '../../src/log/claim.ts'
import { folder } from './sample.ts'

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const CLAIM = pathToFileURL(join(import.meta.dirname, '../../src/log/claim.ts')).href

/** Another process that claims the folder and says so, or says why not, and lives on; `before` runs it in other surroundings. */
async function otherProcess(
  path: string,
  before: readonly string[] = [],
): Promise<{ said: string; child: ChildProcess }> {
  const script = `const { claimFolder } = await import(${JSON.stringify(CLAIM)})
    await claimFolder(${JSON.stringify(path)}).then(() => console.log('claimed'), (error) => console.log(error.message))
    setInterval(() => {}, 1000)`
  const [command, ...args] = [...before, process.execPath, '--import', TSX, '--input-type=module', '-e', script]
  const child = spawn(command as string, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  return { said: said.toString().trim(), child }
}

it('refuses a second process, and names the first', async () => {
  const path = folder()
  const { said, child } = await otherProcess(path)
  expect(said).toBe('claimed')
  await expect(claimFolder(path)).rejects.toMatchObject({
    code: 'data-in-use',
    message: `The data folder ${path} is in use by another hub: process ${child.pid}.`,
    details: { pid: child.pid },
  })
})

it('takes the folder over from a process that was killed', async () => {
  const path = folder()
  const { child } = await otherProcess(path)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(existsSync(join(path, SOCKET))).toBe(process.platform === 'linux')
  const release = await claimFolder(path)
  await expect(claimFolder(path)).rejects.toMatchObject({ code: 'data-in-use', details: { pid: process.pid } })
  await release()
  expect(existsSync(join(path, SOCKET))).toBe(false)
  await (await claimFolder(path))()
})

it('claims a folder whose path is longer than a socket’s address may be', async () => {
  const path = join(folder(), 'a'.repeat(120), 'b'.repeat(120))
  mkdirSync(path, { recursive: true })
  const release = await claimFolder(path)
  await expect(claimFolder(path)).rejects.toMatchObject({ code: 'data-in-use', details: { pid: process.pid } })
  await release()
})

const NAMESPACE = ['unshare', '-n'] as const
// A network namespace of its own, as a container has, needs the rights of an administrator.
const canUnshare = process.platform === 'linux' && spawnSync(NAMESPACE[0], [NAMESPACE[1], 'true']).status === 0

it.runIf(canUnshare)('is seen from another network namespace that shares the folder, both ways', async () => {
  const path = folder()
  const release = await claimFolder(path)
  const refused = await otherProcess(path, NAMESPACE)
  expect(refused.said).toBe(`The data folder ${path} is in use by another hub: process ${process.pid}.`)
  await release()
  const { said, child } = await otherProcess(path, NAMESPACE)
  expect(said).toBe('claimed')
  await expect(claimFolder(path)).rejects.toMatchObject({ details: { pid: child.pid } })
  child.kill('SIGKILL')
  await once(child, 'exit')
  await (await claimFolder(path))()
})
