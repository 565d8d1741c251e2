/** A hub that asks everybody who they are, shared by the tests of a file. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { openServer, type Server } from '../../../src/api/server.ts'
import type { AccessSettings } from '../../../src/hub/access/access.ts'
import { type Limits, NO_LIMITS } from '../../../src/hub/access/permission.ts'
import { doors } from '../../../src/hub/doors.ts'
import { HubNode } from '../../../src/hub/node.ts'
import { silent } from '../../../src/pipes/logger.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look at parts of what JSON says
  readonly body: any
}

export interface GuardedHub {
  readonly url: string
  readonly node: HubNode
  readonly data: string
  /** A token with these roles, and limits. */
  token(roles: readonly string[], limits?: Partial<Limits>): Promise<string>
  /** With a token, or none; what is no text is sent as JSON. */
  ask(
    token: string | null,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>
}

export function guardedHub(settings: AccessSettings & { readonly withGraph?: boolean } = {}): GuardedHub {
  const data = mkdtempSync(join(tmpdir(), 'samtale-guarded-'))
  let node: HubNode
  let server: Server
  beforeAll(async () => {
    node = await HubNode.open({
      data,
      developer: false,
      version: 'test',
      logger: silent,
      threads: 1,
      withGraph: settings.withGraph ?? false,
      access: settings,
      onFatal: (error) => {
        throw error
      },
    })
    server = await openServer(node, { host: '127.0.0.1', port: 0, doors, authenticates: true })
    node.startPumps()
  })
  afterAll(async () => {
    await server?.close()
    await node?.close()
    rmSync(data, { recursive: true, force: true })
  })
  return {
    get url() {
      return server.url
    },
    get node() {
      return node
    },
    data,
    async token(roles, limits = {}) {
      const made = { name: 'test', description: null, owner: null, roles, ...NO_LIMITS, ...limits }
      return node.access.tokenText(await node.access.tokens.create({ ...made, expires: Date.now() + 3_600_000 }))
    },
    async ask(token, method, path, body, headers = {}) {
      const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
      const answer = await fetch(server.url + path, {
        method,
        redirect: 'manual',
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(text === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(text === undefined ? {} : { body: text }),
      })
      const said = await answer.text()
      const isJson = /json/.test(answer.headers.get('content-type') ?? '') && said !== ''
      return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(said) : said }
    },
  }
}
