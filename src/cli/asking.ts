/** Asks a hub that runs, over its API: where it is and with which token, whoever types says. */

import { HttpClient } from '../pipes/http.ts'
import { ALL_TARGETS } from '../pipes/systems/targets.ts'
import { type Arguments, UsageError } from './arguments.ts'

export interface AskedHub {
  /** The answer as JSON, of one of these statuses; an error with what the hub says otherwise. */
  get<T>(path: string, statuses?: readonly number[]): Promise<T>
}

const CONNECT_MS = 5_000
const READ_MS = 60_000

type Environment = Readonly<Record<string, string | undefined>>

/** What went wrong in asking, for whoever typed. */
class AskingError extends Error {
  override readonly name = 'AskingError'
  readonly code = 'asking-failed'
  readonly hint: string | undefined

  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }
}

/** Asks for as long as `use` takes. */
export async function withHub<T>(
  given: Arguments,
  environment: Environment,
  use: (hub: AskedHub) => Promise<T>,
): Promise<T> {
  const base = baseOf(given)
  const token = environment.SAMTALE_TOKEN ?? ''
  const client = new HttpClient({
    connectTimeoutMs: CONNECT_MS,
    readTimeoutMs: READ_MS,
    verifyCertificates: true,
    targets: ALL_TARGETS,
    mask: (text) => (token === '' ? text : text.replaceAll(token, '***')),
  })
  try {
    return await use({ get: (path, statuses = [200]) => ask(client, new URL(base + path), token, statuses) })
  } finally {
    await client.close()
  }
}

/** Of a tenant below its path. */
function baseOf(given: Arguments): string {
  const text = (given.text('url') as string).replace(/\/+$/, '')
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new UsageError(`--url ${text} is no http or https address.`)
  }
  const tenant = given.text('tenant')
  return tenant === undefined || tenant === 'default' ? text : `${text}/t/${encodeURIComponent(tenant)}`
}

async function ask<T>(client: HttpClient, url: URL, token: string, statuses: readonly number[]): Promise<T> {
  const headers = () => ({ accept: 'application/json', ...(token === '' ? {} : { authorization: `Bearer ${token}` }) })
  const answer = await client.send({ method: 'GET', url, headers }, new AbortController().signal)
  const chunks: Uint8Array[] = []
  for await (const chunk of answer.body) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString('utf8')
  if (statuses.includes(answer.status)) return JSON.parse(text) as T
  throw refusalOf(answer.status, text, url)
}

function refusalOf(status: number, text: string, url: URL): AskingError {
  const said = saidIn(text)
  if (status === 401 || status === 403) {
    return new AskingError(`The hub at ${url.origin} does not let you: ${said}`, 'Give a token in SAMTALE_TOKEN.')
  }
  if (status === 404) return new AskingError(`The hub at ${url.origin} has nothing there: ${said}`)
  return new AskingError(`The hub at ${url.origin} answered ${status}: ${said}`)
}

function saidIn(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text.slice(0, 200)
  } catch {
    return text.slice(0, 200)
  }
}
