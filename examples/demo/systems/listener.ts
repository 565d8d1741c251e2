/** A small web server for a simulated system: routes by method and path, and misbehaves when told to. */

import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

export interface Call {
  /** What stood in the place of `:name` parts of the path. */
  readonly at: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: string
}

export interface Answer {
  readonly status?: number
  readonly type?: string
  readonly body: string
}

/** `'GET /api/persons/:id'` → what answers it. */
export type Routes = Readonly<Record<string, (call: Call) => Answer>>

export interface Listener {
  readonly url: string
  close(): Promise<void>
}

export const json = (value: unknown, status = 200): Answer => ({ status, body: `${JSON.stringify(value)}\n` })
export const problem = (status: number, message: string): Answer => json({ error: message }, status)
export const text = (type: string, body: string): Answer => ({ type, body })

/** `POST /mischief?fail=1&delay=200`: the next answer is a 500, and each one takes so many milliseconds. */
export async function listen(routes: Routes, port: number): Promise<Listener> {
  const table = Object.entries(routes).map(([route, answer]) => ({ ...parsed(route), answer }))
  let failures = 0
  let delayMs = 0

  const answerTo = async (request: IncomingMessage): Promise<Answer> => {
    const url = new URL(request.url ?? '/', 'http://system')
    const body = await bodyOf(request)
    if (url.pathname === '/mischief' && request.method === 'POST') {
      failures = Number(url.searchParams.get('fail') ?? 0)
      delayMs = Number(url.searchParams.get('delay') ?? 0)
      return json({ failures, delayMs })
    }
    if (delayMs > 0) await pause(delayMs)
    if (failures > 0) {
      failures--
      return problem(500, 'Something went wrong.')
    }
    for (const { method, pattern, answer } of table) {
      const match = method === request.method ? pattern.exec(url.pathname) : null
      if (match === null) continue
      const at = Object.fromEntries(
        Object.entries(match.groups ?? {}).map(([name, part]) => [name, decodeURIComponent(part)]),
      )
      return answer({ at, query: url.searchParams, body })
    }
    return problem(404, `There is no ${request.method} ${url.pathname}.`)
  }

  const server = createServer(async (request, response) => {
    const { status, type, body } = await answerTo(request).catch((error: Error) => problem(400, error.message))
    response.writeHead(status ?? 200, { 'content-type': type ?? 'application/json' }).end(body)
  })
  await new Promise<void>((done, fail) => {
    server.once('error', fail)
    server.listen(port, '127.0.0.1', done)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

function parsed(route: string): { readonly method: string; readonly pattern: RegExp } {
  const [method = '', path = ''] = route.split(' ')
  return { method, pattern: new RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`) }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
