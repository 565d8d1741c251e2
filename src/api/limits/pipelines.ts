/**
 * Requests that stand in line on one connection are done one after the other: their answers go out in that order anyway, and an
 * answer that is made before its turn is only memory.
 */

import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** So many in line are somebody who asks without reading. */
const MOST = 1_000

export class Pipelines {
  readonly #lines = new WeakMap<Socket, (() => void)[]>()

  /** Calls `begin` when the answer before is sent; false: the line is too long. */
  enter(socket: Socket, response: ServerResponse, begin: () => void): boolean {
    const line = this.#lines.get(socket)
    response.once('close', () => this.#next(socket))
    if (line === undefined) {
      this.#lines.set(socket, [])
      begin()
      return true
    }
    line.push(begin)
    return line.length <= MOST
  }

  #next(socket: Socket): void {
    const next = this.#lines.get(socket)?.shift()
    if (next === undefined) this.#lines.delete(socket)
    else if (!socket.destroyed) next()
  }
}
