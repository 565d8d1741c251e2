/** A real HTTP server that behaves well or badly on demand, and remembers what it was asked. */

import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'

interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Answers one request, well or badly. */
export type Behaviour = (response: ServerResponse, request: SeenRequest) => void | Promise<void>

export interface FakeServer {
  /** With a slash at the end. */
  readonly url: string
  readonly requests: SeenRequest[]
  /** How many connections were opened so far. */
  readonly connections: () => number
  /** How requests for a path (without the query) are answered; anything else is a 404. Several are used one after the other, the last one again. */
  on(path: string, ...behaviours: Behaviour[]): void
  close(): Promise<void>
}

export async function startFakeServer(tls?: { key: string; cert: string }): Promise<FakeServer> {
  const requests: SeenRequest[] = []
  const behaviours = new Map<string, Behaviour[]>()
  const sockets = new Set<Socket>()
  let connections = 0
  const listener: RequestListener = async (incoming, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const url = new URL(incoming.url ?? '/', 'http://fake')
    const request: SeenRequest = {
      method: incoming.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: incoming.headers as Record<string, string>,
      body: Buffer.concat(chunks).toString(),
    }
    requests.push(request)
    const queue = behaviours.get(url.pathname) ?? [status(404, 'nothing here')]
    const behaviour = queue.length > 1 ? queue.shift() : queue[0]
    await behaviour?.(response, request)
  }
  const server: Server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/`,
    requests,
    connections: () => connections,
    on: (path, ...list) => void behaviours.set(path, list),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

export const status =
  (code: number, body = '', headers: Record<string, string> = {}): Behaviour =>
  (response) =>
    void response.writeHead(code, { 'content-type': 'text/plain', ...headers }).end(body)

export const text = (body: string | Uint8Array, headers: Record<string, string> = {}): Behaviour => {
  return (response) => void response.writeHead(200, headers).end(body)
}

export const json = (value: unknown): Behaviour => text(JSON.stringify(value), { 'content-type': 'application/json' })

/** Sends nothing at all, and keeps the connection. */
export const silence: Behaviour = () => {}

/** Sends the parts with a pause before each. */
export const slowly =
  (parts: readonly (string | Uint8Array)[], pauseMs: number): Behaviour =>
  async (response) => {
    response.writeHead(200)
    for (const part of parts) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
      if (response.destroyed) return
      response.write(part)
    }
    response.end()
  }

/** Sends a beginning, then says nothing more. */
export const stalling =
  (beginning: string): Behaviour =>
  (response) => {
    response.writeHead(200)
    response.write(beginning)
  }

/** Sends a beginning, then cuts the connection in the middle of the answer. */
export const cutAfter =
  (beginning: string): Behaviour =>
  (response) => {
    response.writeHead(200)
    response.write(beginning, () => setTimeout(() => response.destroy(), 20))
  }

/** Announces another length than it sends, and closes the connection. */
export const wrongLength =
  (body: string, announced: number): Behaviour =>
  (response) => {
    const head = `HTTP/1.1 200 OK\r\ncontent-length: ${announced}\r\nconnection: close\r\n\r\n`
    response.socket?.end(head + body)
  }

/** Sends a body that ends with the connection, as HTTP/1.0 does: its end cannot be told from a cut. */
export const untilClose =
  (body: string): Behaviour =>
  (response) =>
    void response.socket?.end(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${body}`)

export const redirect = (location: string, code = 302): Behaviour => status(code, '', { location })

/** 429 or 503 with Retry-After. */
export const later = (seconds: number, code = 429): Behaviour =>
  status(code, 'later', { 'retry-after': String(seconds) })
