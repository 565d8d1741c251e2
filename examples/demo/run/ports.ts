/** Ports that nobody listens on. */

import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'

/** The preferred one when it is free, else another. */
export async function freePort(preferred: number): Promise<number> {
  return (await tried(preferred)) ?? (await tried(0)) ?? 0
}

function tried(port: number): Promise<number | null> {
  return new Promise((done) => {
    const server = createServer()
    server.once('error', () => done(null))
    server.listen(port, '127.0.0.1', () => {
      const { port: given } = server.address() as AddressInfo
      server.close(() => done(given))
    })
  })
}
