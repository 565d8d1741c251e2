/** What connections cost that do nothing: anonymous memory of the hub beside that of Node's own server with as many. */

import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { startHub } from './hub.ts'
import { type Figure, mustEqual } from './measure.ts'

const CONNECTIONS = 5_000
/** Opened together. */
const AT_ONCE = 200
const SETTLE_MS = 3_000
const TARGET_MB = 200

export async function idle(rounds: number): Promise<Figure[]> {
  const ours: number[] = []
  const bare: number[] = []
  const notes: string[] = []
  for (let round = 0; round <= rounds; round++) {
    const hub = await startHub({ threads: 2 })
    const peer = await startBare()
    try {
      const own = await cost(hub.url, hub.memoryMb)
      const other = await cost(peer.url, () => memoryMb(peer.process.pid as number))
      if (round === 0) continue
      ours.push(own.mb)
      bare.push(other.mb)
      notes.push(
        `round ${round}: ${own.before.toFixed(0)} MB before, ${(own.before + own.mb).toFixed(0)} MB with them; asked again, all answered in ${own.againMs.toFixed(0)} ms`,
      )
    } finally {
      await hub.stop()
      peer.process.kill()
    }
  }
  const name = `Memory of ${CONNECTIONS.toLocaleString('en')} idle connections`
  return [
    {
      name,
      unit: 'MB',
      values: ours,
      target: TARGET_MB,
      isLess: true,
      peer: { name: 'a bare server of Node', values: bare },
      notes,
    },
  ]
}

/** Each connection asks once, rests, and asks again in the end: it was open all the while. */
async function cost(url: string, memory: () => number) {
  const warm = await opened(url, AT_ONCE)
  await asked(warm)
  for (const one of warm) one.destroy()
  await wait(SETTLE_MS)
  const before = memory()
  const sockets: Socket[] = []
  while (sockets.length < CONNECTIONS) {
    const more = await opened(url, Math.min(AT_ONCE, CONNECTIONS - sockets.length))
    await asked(more)
    sockets.push(...more)
  }
  await wait(SETTLE_MS)
  const mb = memory() - before
  const startedAt = performance.now()
  mustEqual('answers', await asked(sockets), CONNECTIONS)
  const againMs = performance.now() - startedAt
  for (const one of sockets) one.destroy()
  return { before, mb, againMs }
}

const opened = (url: string, count: number): Promise<Socket[]> =>
  Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<Socket>((resolve, reject) => {
          const socket = connect(Number(new URL(url).port), '127.0.0.1')
          socket.once('connect', () => resolve(socket)).once('error', reject)
        }),
    ),
  )

/** How many answered with 200. */
async function asked(sockets: readonly Socket[]): Promise<number> {
  const answers = sockets.map(
    (socket) =>
      new Promise<boolean>((resolve) => {
        socket.once('data', (chunk) => resolve(chunk.toString().startsWith('HTTP/1.1 200')))
        socket.once('close', () => resolve(false))
        socket.write('GET /api/ping HTTP/1.1\r\nHost: localhost\r\n\r\n')
      }),
  )
  const all = await Promise.all(answers)
  for (const socket of sockets) socket.removeAllListeners('close').on('data', () => {})
  return all.filter(Boolean).length
}

async function startBare(): Promise<{ readonly url: string; readonly process: ChildProcess }> {
  const script = `const server = require('node:http').createServer({ keepAliveTimeout: 75_000 }, (_, response) => response.setHeader('content-type', 'application/json').end('{}'))
    server.listen(0, '127.0.0.1', () => console.log(server.address().port))`
  const child = spawn(process.execPath, ['--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const port = await new Promise<string>((resolve) =>
    child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())),
  )
  return { url: `http://127.0.0.1:${port}`, process: child }
}

const memoryMb = (pid: number): number =>
  Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
