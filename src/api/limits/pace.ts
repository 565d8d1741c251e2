/** Watches how fast bytes move while it is the client's turn, and cuts off who sends or reads so slowly that it only holds things up. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface PaceLimits {
  readonly 'stall-seconds': number
  readonly 'least-rate': number
}

type Side = 'slow-sender' | 'slow-reader'

interface Watched {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Of the request, which lets go of it at its end. */
  readonly socket: Socket
  /** Whose turn it was when it was looked at last; null: ours. */
  side: Side | null
  since: number
  /** Bytes that had moved then. */
  moved: number
}

const LOOK_MS = 1_000

export class Pace {
  readonly #windowMs: number
  readonly #leastBytes: number
  readonly #cut: (side: Side, response: ServerResponse) => void
  readonly #watched = new Set<Watched>()
  readonly #timer: NodeJS.Timeout

  constructor(limits: PaceLimits, cut: (side: Side, response: ServerResponse) => void) {
    this.#windowMs = limits['stall-seconds'] * 1_000
    this.#leastBytes = limits['stall-seconds'] * limits['least-rate']
    this.#cut = cut
    this.#timer = setInterval(() => this.#look(performance.now()), Math.min(LOOK_MS, this.#windowMs / 4))
    this.#timer.unref()
  }

  /** Until the answer is sent or the connection ends. */
  watch(request: IncomingMessage, response: ServerResponse): void {
    const watched: Watched = { request, response, socket: request.socket, side: null, since: 0, moved: 0 }
    this.#watched.add(watched)
    response.once('close', () => this.#watched.delete(watched))
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(now: number): void {
    for (const watched of this.#watched) {
      const side = sideOf(watched)
      const moved = side === null ? 0 : movedBy(side, watched.socket)
      const isSameTurn = side !== null && side === watched.side
      if (isSameTurn && now - watched.since < this.#windowMs) continue
      if (isSameTurn && moved - watched.moved < this.#leastBytes) {
        this.#watched.delete(watched)
        this.#cut(side, watched.response)
        continue
      }
      watched.side = side
      watched.since = now
      watched.moved = moved
    }
  }
}

/** Whom the request waits for. A body that nobody reads yet, or that is there already, is not its sender's fault. */
function sideOf({ request, response, socket }: Watched): Side | null {
  if (response.headersSent) return socket.writableLength > 0 ? 'slow-reader' : null
  const isAwaited = !request.complete && request.readableFlowing !== null && request.readableLength === 0
  return isAwaited ? 'slow-sender' : null
}

const movedBy = (side: Side, socket: Socket): number => (side === 'slow-sender' ? socket.bytesRead : bytesSent(socket))

interface Handle {
  readonly bytesWritten?: number
  /** Of these, what the system holds and has not sent. */
  readonly writeQueueSize?: number
}

/** One large write counts as it goes: the socket itself would say all or nothing of it. */
function bytesSent(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { readonly _handle?: Handle | null }
  if (handle?.bytesWritten === undefined) return socket.bytesWritten - socket.writableLength
  return handle.bytesWritten - (handle.writeQueueSize ?? 0)
}
