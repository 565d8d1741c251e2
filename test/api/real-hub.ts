/** A hub with its REST API on a port of this machine, without a graph: as a client sees it. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect } from 'vitest'
import type { Limits } from '../../src/api/limits/limits.ts'
import { openServer, type Server } from '../../src/api/server.ts'
import { doors } from '../../src/hub/doors.ts'
import { HubNode } from '../../src/hub/node.ts'
import type { HubTenant } from '../../src/hub/tenant.ts'
import { silent } from '../../src/pipes/logger.ts'
import { openHub } from '../hub/running-hub.ts'

const clean: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const one of clean.splice(0).reverse()) await one()
})

export interface RealHub {
  readonly url: string
  readonly tenant: HubTenant
  /** Pumps run by themselves from now on. */
  start(): void
  fetch(path: string, init?: RequestInit): Promise<Response>
  configure(...components: object[]): Promise<void>
  push(pipe: string, entities: unknown): Promise<void>
  /** Posts an operation to a pump, as a form. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look at parts of what JSON says
  operate(pipe: string, operation: string, fields?: Record<string, string>): Promise<{ status: number; body: any }>
  /** The runtime part of a pump's document. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  pump(pipe: string): Promise<any>
}

/** A hub of its own, whose pumps wait until they are started. */
export async function openRealHub(): Promise<RealHub> {
  const { node, tenant } = await openHub()
  const server = await openServer(node, { host: '127.0.0.1', port: 0, doors })
  node.listensAt(server.url)
  clean.push(() => server.close())
  return clientOf(server.url, '', tenant, () => node.startPumps())
}

let shared: Promise<{ readonly node: HubNode; readonly server: Server; readonly data: string }> | null = null
let tenants = 0
afterAll(async () => {
  const opened = await shared
  await opened?.server.close()
  await opened?.node.close()
  if (opened !== null) rmSync(opened.data, { recursive: true, force: true })
})

/** A new tenant of a hub that the tests of a file share: quick. Its pumps run by themselves at once. `limits`: of that hub. */
export async function openRealTenant(limits: Partial<Limits> = {}): Promise<RealHub> {
  shared ??= openShared(limits)
  const { node, server } = await shared
  const name = `t${++tenants}`
  const tenant = await node.createTenant(name)
  clean.push(() => node.deleteTenant(name))
  return clientOf(server.url, `/t/${name}`, tenant, () => {})
}

async function openShared(limits: Partial<Limits>) {
  const data = mkdtempSync(join(tmpdir(), 'samtale-test-'))
  const onFatal = (error: Error) => {
    throw error
  }
  const node = await HubNode.open({
    data,
    developer: false,
    version: 'test',
    logger: silent,
    withGraph: false,
    threads: 1,
    onFatal,
  })
  const server = await openServer(node, { host: '127.0.0.1', port: 0, doors, limits })
  return { node, server, data }
}

function clientOf(url: string, prefix: string, tenant: HubTenant, start: () => void): RealHub {
  const ask = (path: string, init: RequestInit = {}) => fetch(`${url}${prefix}/api${path}`, init)
  const json = { 'content-type': 'application/json' }
  return {
    url,
    tenant,
    start,
    fetch: ask,
    configure: async (...components) => {
      const answer = await ask('/config', { method: 'PUT', headers: json, body: JSON.stringify(components) })
      expect(answer.status, await answer.clone().text()).toBe(200)
    },
    push: async (pipe, entities) => {
      const body = JSON.stringify(entities)
      const answer = await ask(`/receivers/${pipe}/entities`, { method: 'POST', headers: json, body })
      expect(answer.status, await answer.clone().text()).toBe(200)
    },
    operate: async (pipe, operation, fields = {}) => {
      const body = new URLSearchParams({ operation, ...fields })
      const answer = await ask(`/pipes/${pipe}/pump`, { method: 'POST', body })
      return { status: answer.status, body: await answer.json() }
    },
    pump: async (pipe) => ((await (await ask(`/pipes/${pipe}/pump`)).json()) as { runtime: unknown }).runtime,
  }
}

/** Asks again and again until something is as expected; fails with what it was last. */
export async function eventually<T>(look: () => Promise<T> | T, expected: T, timeoutMs = 30_000): Promise<void> {
  const end = Date.now() + timeoutMs
  for (;;) {
    const found = await look()
    if (JSON.stringify(found) === JSON.stringify(expected) || Date.now() > end) {
      expect(found).toEqual(expected)
      return
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
