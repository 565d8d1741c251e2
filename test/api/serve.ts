/** A server over the fake hub, for one test file. */

import { afterAll, beforeAll, beforeEach } from 'vitest'
import { openServer, type Server, type ServerOptions } from '../../src/api/server.ts'
import { FakeNode, FakeTenant, fakeDoors } from './fake-hub.ts'

export interface Served {
  node: FakeNode
  tenant: FakeTenant
  doors: ReturnType<typeof fakeDoors>
  url: string
  get(path: string, headers?: Record<string, string>): Promise<Response>
  post(path: string, body: string | URLSearchParams | FormData, headers?: Record<string, string>): Promise<Response>
}

/** Each test begins with an empty default tenant. */
export function serve(options: Partial<ServerOptions> = {}): Served {
  let server: Server
  const doors = fakeDoors()
  const node = new FakeNode()
  const served = {
    node,
    doors,
    get: (path: string, headers: Record<string, string> = {}) => fetch(served.url + path, { headers }),
    post: (path: string, body: string | URLSearchParams | FormData, headers: Record<string, string> = {}) =>
      fetch(served.url + path, { method: 'POST', body, headers }),
  } as Served
  beforeAll(async () => {
    server = await openServer(node, { host: '127.0.0.1', port: 0, doors, ...options })
    served.url = server.url
  })
  beforeEach(() => {
    node.all.clear()
    served.tenant = new FakeTenant('default')
    node.all.set('default', served.tenant)
  })
  afterAll(() => server?.close())
  return served
}
