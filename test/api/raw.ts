/** Speaks to a server byte by byte, as no well-behaved client would. */

import { connect, type Socket } from 'node:net'

export interface RawConnection {
  readonly socket: Socket
  send(text: string | Uint8Array): void
  /** All that came until the other side closed, or until the time is up. */
  all(timeoutMs?: number): Promise<string>
  /** What came so far, once it holds this. */
  until(part: string | RegExp, timeoutMs?: number): Promise<string>
  close(): void
}

export async function rawConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname.replace(/^\[|\]$/g, ''))
  let text = ''
  let isClosed = false
  let look = () => {}
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
    look()
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    isClosed = true
    look()
  })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  const when = (is: () => boolean, timeoutMs: number) =>
    new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Nothing more came within ${timeoutMs} ms: ${text}`)), timeoutMs)
      look = () => {
        if (!is()) return
        clearTimeout(timer)
        resolve(text)
      }
      look()
    })
  return {
    socket,
    send: (given) => void socket.write(given),
    all: (timeoutMs = 10_000) => when(() => isClosed, timeoutMs),
    until: (part, timeoutMs = 10_000) =>
      when(() => isClosed || (typeof part === 'string' ? text.includes(part) : part.test(text)), timeoutMs),
    close: () => socket.destroy(),
  }
}

/** The status of the first answer; NaN when there is none. */
export const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? Number.NaN)

/** One request on a connection of its own; all that came back until it was closed. */
export async function rawAnswer(url: string, text: string | Uint8Array, timeoutMs = 10_000): Promise<string> {
  const connection = await rawConnection(url)
  connection.send(text)
  try {
    return await connection.all(timeoutMs)
  } finally {
    connection.close()
  }
}
