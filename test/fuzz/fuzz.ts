/** Asks a hub for everything it has, in every wrong way, and tells what it should not have answered. */

import { type FuzzRequest, type Operation, operationsOf, requestFor } from './requests.ts'
import { Dice } from './values.ts'
import { CONFIGURATION, ENTITIES } from './world.ts'

export interface Finding {
  readonly what: string
  readonly method: string
  readonly path: string
  readonly body: string
  readonly answer: string
}

export interface Fuzzed {
  readonly requests: number
  readonly operations: number
  /** How often each status was answered. */
  readonly statuses: ReadonlyMap<number, number>
  readonly findings: readonly Finding[]
}

/** Answers that a hub in trouble may give, and says when to come back; and what lies with a system behind it. */
const DOCUMENTED: ReadonlySet<number> = new Set([502, 503, 504])
const HANGS_MS = 20_000
const AT_ONCE = 8
/** What the fuzzer undid is made again after so many requests. */
const ROUND = 400
/** They end what the fuzzer asks. */
const LEFT_OUT = /^\/api\/(?:restart|backups)|^\/api\/tenants/

export async function fuzz(
  url: string,
  seed: number,
  seconds: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<Fuzzed> {
  const dice = new Dice(seed)
  const description = (await (await fetch(`${url}/api/reference/json`, { headers })).json()) as Parameters<
    typeof operationsOf
  >[0]
  const operations = operationsOf(description).filter(({ path }) => !LEFT_OUT.test(path))
  const statuses = new Map<number, number>()
  const findings: Finding[] = []
  const endAt = performance.now() + seconds * 1_000
  let requests = 0
  // Every operation before any comes again, however short it is.
  let turn: Operation[] = []
  while (performance.now() < endAt || requests < operations.length) {
    if (requests % ROUND === 0) await settle(url, headers)
    const asked: Promise<void>[] = []
    for (let place = 0; place < AT_ONCE; place++) {
      if (turn.length === 0) turn = shuffled(operations, dice)
      const request = requestFor(turn.pop() as Operation, dice)
      requests++
      asked.push(
        ask(url, { ...request, headers: { ...headers, ...request.headers } }).then((found) => {
          statuses.set(found.status, (statuses.get(found.status) ?? 0) + 1)
          if (found.finding !== undefined) findings.push(found.finding)
        }),
      )
    }
    await Promise.all(asked)
  }
  return { requests, operations: operations.length, statuses, findings }
}

function shuffled<T>(list: readonly T[], dice: Dice): T[] {
  const all = [...list]
  for (let place = all.length - 1; place > 0; place--) {
    const other = dice.below(place + 1)
    ;[all[place], all[other]] = [all[other] as T, all[place] as T]
  }
  return all
}

async function settle(url: string, headers: Readonly<Record<string, string>>): Promise<void> {
  const json = { ...headers, 'content-type': 'application/json' }
  await fetch(`${url}/api/config?force=true`, { method: 'PUT', headers: json, body: JSON.stringify(CONFIGURATION) })
  await fetch(`${url}/api/receivers/in/entities`, { method: 'POST', headers: json, body: JSON.stringify(ENTITIES) })
  await fetch(`${url}/api/pipes/people/pump`, {
    method: 'POST',
    headers,
    body: new URLSearchParams({ operation: 'start' }),
  })
}

async function ask(
  url: string,
  request: FuzzRequest,
): Promise<{ readonly status: number; readonly finding?: Finding }> {
  const { method, path, headers, body } = request
  const finding = (what: string, answer: string): Finding => ({
    what,
    method,
    path,
    body: (typeof body === 'string' ? body : Buffer.from(body ?? '').toString('latin1')).slice(0, 2_000),
    answer: answer.slice(0, 1_000),
  })
  try {
    const signal = AbortSignal.timeout(HANGS_MS)
    const response = await fetch(url + path, {
      method,
      headers,
      signal,
      redirect: 'manual',
      ...(body === undefined ? {} : { body }),
    })
    const text = await response.text()
    const wrong = complaint(response, text)
    return { status: response.status, ...(wrong === undefined ? {} : { finding: finding(wrong, text) }) }
  } catch (error) {
    const { name, message, cause } = error as Error & { readonly cause?: Error }
    if (name === 'TypeError' && /header|Headers|ByteString/i.test(message)) return { status: 0 }
    return {
      status: 0,
      finding: finding(name === 'TimeoutError' ? 'it hangs' : 'no answer', `${message} ${cause?.message ?? ''}`),
    }
  }
}

function complaint({ status, headers }: Response, text: string): string | undefined {
  if (status >= 500 && !DOCUMENTED.has(status)) return `status ${status}`
  if (status === 503 && !headers.has('retry-after') && !isHealth(text) && !text.includes('"no-graph"'))
    return '503 without Retry-After'
  if (headers.has('x-injected')) return 'an injected header'
  if (/root:x:0:0/.test(text)) return 'a file of the machine'
  if (/\bat (?:\S+ )?\(?(?:file:|\/)\S+:\d+:\d+/.test(text)) return 'a stack'
  if (/json/.test(headers.get('content-type') ?? '') && !isJson(text)) return 'not JSON'
  return status === 200 || text !== '' || [204, 301, 302, 303, 304].includes(status)
    ? undefined
    : `status ${status} without a word`
}

const isHealth = (text: string): boolean => text.startsWith('{"status":"unhealthy"')

function isJson(text: string): boolean {
  if (text === '') return true
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** A few lines for people. */
export function told({ requests, operations, statuses, findings }: Fuzzed): string {
  const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`)
  return [
    `${requests} requests to ${operations} operations; ${counts.join(', ')}; ${findings.length} findings.`,
    ...findings.map(
      ({ what, method, path, body, answer }) => `- ${what}: ${method} ${path}\n  body: ${body}\n  answer: ${answer}`,
    ),
  ].join('\n')
}
