/** A claim on a data folder: a name that the kernel forgets with the process, so that no crash leaves one behind. */

import { createHash } from 'node:crypto'
import { realpathSync, rmSync, statSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LogError } from './errors.ts'

/** Claims the folder until the process ends or the given function is called. Rejects `data-in-use`. */
export async function claimFolder(path: string): Promise<() => Promise<void>> {
  const name = nameOf(path)
  const server = (await listen(name)) ?? (await listenAfterCrash(name))
  if (server === null) throw inUse(path)
  server.unref()
  return () => new Promise((resolve) => server.close(() => resolve()))
}

export const inUse = (path: string): LogError =>
  new LogError('data-in-use', `The data folder ${path} is in use by another hub.`, {
    details: { path },
    hint: 'End the other process, or give this one another folder with --data.',
  })

/** Linux has sockets that are only a name, Windows has pipes; elsewhere it is a file, which a crash leaves behind. */
function nameOf(path: string): string {
  const { dev, ino } = statSync(path)
  if (process.platform === 'linux') return `\0samtale:${dev}:${ino}`
  const digest = createHash('sha256').update(realpathSync(path)).digest('hex').slice(0, 24)
  return process.platform === 'win32' ? `\\\\.\\pipe\\samtale-${digest}` : join(tmpdir(), `samtale-${digest}.sock`)
}

function listen(name: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(null) : reject(error),
    )
    server.listen(name, () => resolve(server))
  })
}

async function listenAfterCrash(name: string): Promise<Server | null> {
  if (process.platform === 'linux' || process.platform === 'win32' || (await answers(name))) return null
  rmSync(name, { force: true })
  return listen(name)
}

function answers(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(name)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
