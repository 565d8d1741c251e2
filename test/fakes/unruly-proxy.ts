/** A proxy between a client and a hub that cuts, delays, repeats and refuses requests, as networks do; every trouble comes from the seed it is given. */

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export type Trouble =
  | 'none'
  | 'delayed'
  /** The connection ends before the request arrives. */
  | 'lost'
  /** Half of the request arrives, and then nothing more. */
  | 'torn'
  /** The request arrives, and its answer does not. */
  | 'unanswered'
  /** Half of the answer arrives. */
  | 'halved'
  /** The request arrives twice; the first answer counts. */
  | 'twice'
  /** The same, but the second answer counts. */
  | 'twice-second'
  | 'refused'

const WEIGHTS: readonly (readonly [Trouble, number])[] = [
  ['none', 60],
  ['delayed', 8],
  ['lost', 6],
  ['torn', 4],
  ['unanswered', 6],
  ['halved', 6],
  ['twice', 4],
  ['twice-second', 3],
  ['refused', 3],
]

export interface UnrulyProxy {
  readonly url: string
  /** How often each trouble was made. */
  readonly made: ReadonlyMap<Trouble, number>
  /** Where requests go from now on. */
  lead(target: string): void
  /** From now on there is no trouble. */
  calm(): void
  /** From now on there is. */
  stir(): void
  close(): Promise<void>
}

/** `draw` gives numbers from 0 to 1. */
export async function startUnrulyProxy(target: string, draw: () => number): Promise<UnrulyProxy> {
  const made = new Map<Trouble, number>()
  const sockets = new Set<Socket>()
  let leads = target
  let isCalm = true
  const server = createServer((incoming, outgoing) => {
    const trouble = isCalm ? 'none' : drawn(draw())
    made.set(trouble, (made.get(trouble) ?? 0) + 1)
    incoming.on('error', () => {})
    outgoing.on('error', () => {})
    pass(incoming, outgoing, leads, trouble, draw).catch(() => outgoing.destroy())
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    made,
    lead: (to) => {
      leads = to
    },
    calm: () => {
      isCalm = true
    },
    stir: () => {
      isCalm = false
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function drawn(draw: number): Trouble {
  let left = draw * WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [trouble, weight] of WEIGHTS) {
    left -= weight
    if (left < 0) return trouble
  }
  return 'none'
}

interface Answered {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

async function pass(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  target: string,
  trouble: Trouble,
  draw: () => number,
): Promise<void> {
  const body = await bytesOf(incoming)
  const cut = () => void outgoing.destroy()
  const ask = () => send(target, incoming, body)
  switch (trouble) {
    case 'lost':
      return cut()
    case 'torn':
      await send(target, incoming, body, Math.floor(body.length / 2)).catch(() => {})
      return cut()
    case 'refused':
      outgoing.writeHead(503, { 'content-type': 'application/json' }).end('{"message":"Not now."}')
      return
    case 'unanswered':
      await ask()
      return cut()
    case 'halved':
      return halve(await ask(), outgoing, draw)
    case 'twice': {
      const answer = await ask()
      await ask()
      return reply(answer, outgoing)
    }
    case 'twice-second':
      await ask()
      return reply(await ask(), outgoing)
    case 'delayed':
      await new Promise((resolve) => setTimeout(resolve, 1 + 9 * draw()))
      return reply(await ask(), outgoing)
    case 'none':
      return reply(await ask(), outgoing)
  }
}

function reply({ status, headers, body }: Answered, outgoing: ServerResponse): void {
  const { 'transfer-encoding': _, connection: __, ...rest } = headers
  outgoing.writeHead(status, { ...rest, 'content-length': body.length }).end(body)
}

/** Without a length that would give it away: only the connection tells. */
function halve({ status, headers, body }: Answered, outgoing: ServerResponse, draw: () => number): void {
  const { 'content-length': _, 'transfer-encoding': __, connection: ___, ...rest } = headers
  outgoing.writeHead(status, rest)
  outgoing.flushHeaders()
  outgoing.write(body.subarray(0, Math.floor(body.length * draw())), () => setTimeout(() => outgoing.destroy(), 1))
}

/** With `most` the connection ends after so many bytes of the body. */
function send(target: string, incoming: IncomingMessage, body: Buffer, most?: number): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const { host: _, connection: __, 'transfer-encoding': ___, ...headers } = incoming.headers
    const outgoing = request(
      target + incoming.url,
      { method: incoming.method ?? 'GET', headers: { ...headers, 'content-length': body.length }, agent: false },
      (answer) => {
        bytesOf(answer).then(
          (bytes) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: bytes }),
          reject,
        )
      },
    )
    outgoing.on('error', reject)
    if (most === undefined) outgoing.end(body)
    else {
      outgoing.flushHeaders()
      outgoing.write(body.subarray(0, most), () => outgoing.destroy(new Error('torn')))
    }
  })
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part as Buffer)
  return Buffer.concat(parts)
}
