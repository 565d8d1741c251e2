/** A hub as it serves, with API and graph, inside the test's own process; one for all tests of a file. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import type { Limits } from '../../src/api/limits/limits.ts'
import { openServer, type Server } from '../../src/api/server.ts'
import { doors } from '../../src/hub/doors.ts'
import { HubNode } from '../../src/hub/node.ts'
import { silent } from '../../src/pipes/logger.ts'

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look at parts of what JSON says
  readonly body: any
}

export interface LiveHub {
  readonly url: string
  readonly data: string
  ask(method: string, path: string, body?: unknown, type?: string): Promise<Answer>
  get(path: string): Promise<Answer>
  /** Replaces the configuration; the whole answer. */
  configure(components: readonly object[], force?: boolean): Promise<Answer>
  push(pipe: string, entities: unknown): Promise<Answer>
  /** Live entities by `_id`, content only. */
  live(dataset: string): Promise<Record<string, unknown>[]>
  /** The runtime part of a pump's document. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  pump(pipe: string): Promise<any>
  /** Starts a pump and waits for the end of that run; the runtime part of its document. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  run(pipe: string): Promise<any>
}

export function liveHub({
  developer = false,
  limits = {},
}: {
  readonly developer?: boolean
  readonly limits?: Partial<Limits>
} = {}): LiveHub {
  const data = mkdtempSync(join(tmpdir(), 'samtale-journey-'))
  let node: HubNode | undefined
  let server: Server | undefined
  beforeAll(async () => {
    node = await HubNode.open({
      data,
      developer,
      version: 'test',
      logger: silent,
      threads: 1,
      onFatal: (error) => {
        throw error
      },
    })
    server = await openServer(node, { host: '127.0.0.1', port: 0, doors, limits })
    node.startPumps()
  })
  afterAll(async () => {
    await server?.close()
    await node?.close()
    rmSync(data, { recursive: true, force: true })
  })
  return clientOf(() => server?.url ?? '', data)
}

/** The same for a hub that serves elsewhere. */
export function clientOf(url: () => string, data: string): LiveHub {
  const ask: LiveHub['ask'] = async (method, path, body, type = 'application/json') => {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    const answer = await fetch(url() + path, {
      method,
      ...(text === undefined ? {} : { body: text, headers: { 'content-type': type } }),
    })
    const said = await answer.text()
    const isJson = /json/.test(answer.headers.get('content-type') ?? '')
    return { status: answer.status, body: isJson ? JSON.parse(said) : said }
  }
  const get = (path: string) => ask('GET', path)
  const pump = async (pipe: string) => (await get(`/api/pipes/${pipe}/pump`)).body.runtime
  return {
    get url() {
      return url()
    },
    data,
    ask,
    get,
    configure: (components, force = false) => ask('PUT', `/api/config${force ? '?force=true' : ''}`, components),
    push: (pipe, entities) => ask('POST', `/api/receivers/${pipe}/entities`, entities),
    async live(dataset) {
      const { body } = await get(`/api/datasets/${dataset}/entities?deleted=false&history=false`)
      return (body as Record<string, unknown>[])
        .map((entity) =>
          Object.fromEntries(Object.entries(entity).filter(([name]) => name === '_id' || name[0] !== '_')),
        )
        .sort((a, b) => (String(a._id) < String(b._id) ? -1 : 1))
    },
    pump,
    async run(pipe) {
      const before = (await pump(pipe))['last-run']
      const { status } = await ask('POST', `/api/pipes/${pipe}/pump`, 'operation=start', FORM)
      expect(status).toBe(200)
      await expect
        .poll(
          async () => {
            const now = await pump(pipe)
            return !now['is-running'] && now['last-run'] !== before
          },
          { timeout: 20_000, interval: 10 },
        )
        .toBe(true)
      return pump(pipe)
    },
  }
}

const FORM = 'application/x-www-form-urlencoded'
