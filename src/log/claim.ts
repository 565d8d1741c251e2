/**
 * A claim on a data folder, which the kernel forgets with the process, so that no crash leaves one behind.
 *
 * On Linux it is two sockets. One is only a name (device and inode of the folder): of two processes of one network
 * namespace exactly one can have it. The other is a file in the folder, which containers that share the folder see too: a
 * crash leaves the file, but nobody answers there any more. Elsewhere it is one pipe or one socket file outside. Whoever
 * has the folder says on being asked who it is.
 */

import { createHash, randomUUID } from 'node:crypto'
import { closeSync, constants, openSync, realpathSync, rmSync, statSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { LogError } from './errors.ts'

/** The name of the socket in the folder. */
export const SOCKET = 'hub.sock'
/** A holder that takes the connection and says nothing for so long is there all the same. */
const ANSWER_MS = 1_000

const CLAIM = randomUUID()

/** Who has a folder, as they said themselves. */
interface Holder {
  readonly pid?: number
  readonly host?: string
  /** Of the process that answers, or of its thread: process numbers are not unique among containers. */
  readonly claim?: string
}

/** Claims the folder until the process ends or the given function is called. Rejects `data-in-use`. */
export function claimFolder(path: string): Promise<() => Promise<void>> {
  return process.platform === 'linux' ? claimTwice(path) : claimOnce(path, nameOutside(path))
}

export function inUse(path: string, { pid, host }: Holder = {}): LogError {
  const place = host === undefined || host === hostname() ? '' : ` on ${host}`
  const who = pid === undefined ? 'another hub' : `another hub: process ${pid}${place}`
  return new LogError('data-in-use', `The data folder ${path} is in use by ${who}.`, {
    details: { path, ...(pid === undefined ? {} : { pid }), ...(host === undefined ? {} : { host }) },
    hint: 'End the other process, or give this one another folder with --data.',
  })
}

async function claimTwice(path: string): Promise<() => Promise<void>> {
  const { dev, ino } = statSync(path)
  const name = `\0samtale:${dev}:${ino}`
  const server = await listen(name)
  if (server === null) throw inUse(path, await ask(name))
  try {
    const releaseFile = await claimFile(path)
    return async () => {
      await releaseFile()
      await closed(server)
    }
  } catch (error) {
    await closed(server)
    throw error
  }
}

/** The socket in the folder. Only the holder of the name comes here, so a file where nobody answers may be taken away. */
async function claimFile(path: string): Promise<() => Promise<void>> {
  // An address has 107 bytes at most, whatever the folder's path: the way over an open folder is short.
  const folder = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  const address = `/proc/self/fd/${folder}/${SOCKET}`
  const leave = () => closeSync(folder)
  try {
    let server = await listen(address)
    if (server === null) {
      const holder = await ask(address)
      if (holder !== undefined) throw inUse(path, holder)
      rmSync(join(path, SOCKET), { force: true })
      server = await listen(address)
    }
    // Another namespace may have been quicker, before or after this file was made.
    const holder = await ask(address)
    if (server === null || holder?.claim !== CLAIM) {
      if (server !== null) await closed(server)
      throw inUse(path, holder)
    }
    const held = server
    return async () => {
      await closed(held)
      leave()
    }
  } catch (error) {
    leave()
    if (error instanceof LogError || !withoutSockets.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    // What is left is the token in the log, which a writer looks at in each transaction.
    return async () => {}
  }
}

/** What file systems say on which no socket can be made. */
const withoutSockets: ReadonlySet<string> = new Set(['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL', 'ENOSYS'])

async function claimOnce(path: string, name: string): Promise<() => Promise<void>> {
  let server = await listen(name)
  if (server === null) {
    const holder = await ask(name)
    if (holder !== undefined || process.platform === 'win32') throw inUse(path, holder)
    rmSync(name, { force: true })
    server = await listen(name)
  }
  if (server === null) throw inUse(path)
  const held = server
  return () => closed(held)
}

/** Windows has pipes that are forgotten with the process; elsewhere it is a file, which a crash leaves behind. */
function nameOutside(path: string): string {
  const digest = createHash('sha256').update(realpathSync(path)).digest('hex').slice(0, 24)
  return process.platform === 'win32' ? `\\\\.\\pipe\\samtale-${digest}` : join(tmpdir(), `samtale-${digest}.sock`)
}

/** Null when there is something with this name. */
function listen(name: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.end(JSON.stringify({ pid: process.pid, host: hostname(), claim: CLAIM } satisfies Holder))
    })
    server.unref()
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    )
    server.listen(name, () => resolve(server))
  })
}

const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()))

/** Who answers there; undefined when nobody does. */
function ask(name: string): Promise<Holder | undefined> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(name)
    socket.setTimeout(ANSWER_MS, () => {
      socket.destroy()
      resolve({})
    })
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    socket.once('error', () => resolve(undefined))
    socket.once('end', () => resolve(holderOf(text)))
  })
}

function holderOf(text: string): Holder {
  try {
    return JSON.parse(text) as Holder
  } catch {
    return {}
  }
}
