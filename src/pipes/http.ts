/**
 * Outgoing HTTP requests: pooled connections, bounded redirects and patience, guarded targets, and errors that say where. The
 * only place that makes any: whatever the hub asks of others goes through here.
 */

import { setTimeout as wait } from 'node:timers/promises'
import { Agent, type Dispatcher, request as undiciRequest } from 'undici'
import { PipeError } from './errors.ts'
import { decodedBody } from './http-body.ts'
import { maskAddress } from './systems/secrets.ts'
import { type TargetRules, Targets } from './systems/targets.ts'

export interface HttpSettings {
  readonly connectTimeoutMs: number
  /** Longest silence: before the answer begins, and between its parts. */
  readonly readTimeoutMs: number
  readonly verifyCertificates: boolean
  /** Certificates to trust besides the usual ones, PEM. */
  readonly extraCertificates?: readonly string[]
  readonly targets: TargetRules
  /** Redirects that are followed; 10 unless said. */
  readonly maxRedirects?: number
  /** Takes secrets out of messages. */
  readonly mask: (text: string) => string
}

export interface HttpRequest {
  readonly method: Dispatcher.HttpMethod
  readonly url: URL
  /** What to send to an address: asked again for each redirect, so that credentials stay with their host. */
  headers(url: URL): Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly url: URL
  readonly body: AsyncIterable<Uint8Array>
}

const CONNECTIONS = 16
const MAX_REDIRECTS = 10
/** How often, and how long at most each time, a server may ask us to come back later (429 and 503 with Retry-After). */
const MAX_WAITS = 3
const MAX_WAIT_MS = 60_000

export class HttpClient {
  readonly #agent: Agent
  readonly #targets: Targets
  readonly #settings: HttpSettings

  constructor(settings: HttpSettings) {
    this.#settings = settings
    this.#targets = new Targets(settings.targets)
    this.#agent = new Agent({
      connections: CONNECTIONS,
      headersTimeout: settings.readTimeoutMs,
      bodyTimeout: settings.readTimeoutMs,
      connect: {
        timeout: settings.connectTimeoutMs,
        lookup: this.#targets.lookup,
        rejectUnauthorized: settings.verifyCertificates,
        ...(settings.extraCertificates === undefined ? {} : { ca: [...settings.extraCertificates] }),
      },
    })
  }

  /** Any status is an answer. Throws `system-unreachable`, `target-refused`, `redirect-refused`; the signal's reason when aborted. */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    let { url } = request
    for (let redirects = 0, waits = 0; ; ) {
      const answer = await this.#once(request, url, signal)
      const pause = waits < MAX_WAITS ? askedPauseMs(answer) : undefined
      if (pause !== undefined) {
        waits++
        await answer.body.dump()
        await wait(pause, undefined, { signal }).catch(() => signal.throwIfAborted())
        continue
      }
      const next = redirectOf(answer, url, request.method)
      if (next === undefined) {
        return {
          status: answer.statusCode,
          headers: flat(answer.headers),
          url,
          body: this.#bodyOf(answer, url, signal),
        }
      }
      await answer.body.dump()
      const { maxRedirects = MAX_REDIRECTS } = this.#settings
      if (++redirects > maxRedirects) throw this.#redirectRefused(url, `more than ${maxRedirects} redirects`)
      if (next.protocol !== url.protocol) throw this.#schemeRefused(url, next)
      url = next
    }
  }

  async close(): Promise<void> {
    // Not `close()`: that waits for answers nobody reads any more.
    await this.#agent.destroy()
  }

  async #once(request: HttpRequest, url: URL, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    signal.throwIfAborted()
    const { method } = request
    // A literal address is not looked up, so nothing else would see it.
    this.#targets.check(url.hostname)
    try {
      return await undiciRequest(url, {
        dispatcher: this.#agent,
        method,
        headers: { 'accept-encoding': 'gzip, br', 'user-agent': 'samtale', ...request.headers(url) },
        body: request.body ?? null,
        signal,
      })
    } catch (cause) {
      signal.throwIfAborted()
      if (cause instanceof PipeError) throw cause
      const address = this.#addressOf(url)
      throw new PipeError('system-unreachable', `${method} ${address} got no answer: ${this.#reasonOf(cause)}.`, {
        details: { address, reason: codeOf(cause) },
        hint: hintFor(codeOf(cause)),
        cause,
      })
    }
  }

  async *#bodyOf(answer: Dispatcher.ResponseData, url: URL, signal: AbortSignal): AsyncIterable<Uint8Array> {
    let received = 0
    const decoded = decodedBody(answer.body, flat(answer.headers)['content-encoding'])
    try {
      for await (const chunk of decoded) {
        received += (chunk as Uint8Array).length
        yield chunk as Uint8Array
      }
    } catch (cause) {
      signal.throwIfAborted()
      const address = this.#addressOf(url)
      throw new PipeError(
        'answer-broken',
        `The answer of ${address} broke off after ${received} bytes: ${this.#reasonOf(cause)}.`,
        {
          details: { address, status: answer.statusCode, received, reason: codeOf(cause) },
          hint: 'What came is not used as if it were all. The next run reads again.',
          cause,
        },
      )
    } finally {
      // Whoever stops early gives the connection up; one that was read to its end goes back to the pool.
      if (!answer.body.readableEnded) answer.body.destroy()
    }
  }

  #redirectRefused(url: URL, why: string, hint?: string): PipeError {
    const address = this.#addressOf(url)
    return new PipeError('redirect-refused', `The redirect of ${address} is not followed: ${why}.`, {
      details: { address },
      ...(hint === undefined ? {} : { hint }),
    })
  }

  /** From http to https too: what was asked for has then gone over the network in the open each time. */
  #schemeRefused(url: URL, next: URL): PipeError {
    const why = `it leads from ${url.protocol} to another scheme, ${next.protocol}`
    return next.protocol === 'https:'
      ? this.#redirectRefused(url, why, 'Write the address with https: in the configuration.')
      : this.#redirectRefused(url, why)
  }

  #addressOf(url: URL): string {
    return this.#settings.mask(maskAddress(url))
  }

  #reasonOf(cause: unknown): string {
    const message = cause instanceof Error ? cause.message || codeOf(cause) || cause.name : String(cause)
    return this.#settings.mask(message.replace(/\.$/, ''))
  }
}

/** Where an answer sends us, when it may be followed: with a body only where the status says that it goes along (307, 308). */
function redirectOf(answer: Dispatcher.ResponseData, url: URL, method: string): URL | undefined {
  const { location } = flat(answer.headers)
  if (location === undefined) return undefined
  const reads = method === 'GET' || method === 'HEAD'
  const statuses = reads ? [301, 302, 303, 307, 308] : [307, 308]
  if (!statuses.includes(answer.statusCode) || !URL.canParse(location, url.href)) return undefined
  return new URL(location, url)
}

function askedPauseMs(answer: Dispatcher.ResponseData): number | undefined {
  if (answer.statusCode !== 429 && answer.statusCode !== 503) return undefined
  const asked = flat(answer.headers)['retry-after']
  if (asked === undefined) return undefined
  const ms = /^\d+$/.test(asked) ? Number(asked) * 1000 : Date.parse(asked) - Date.now()
  return Number.isNaN(ms) || ms > MAX_WAIT_MS ? undefined : Math.max(0, ms)
}

/** Repeated headers joined as HTTP says. */
function flat(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const result: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) result[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return result
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
}

function hintFor(code: string): string {
  if (code === 'ECONNREFUSED') return 'Nothing listens there: is the system running, and the port right?'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return 'The name is not known: check its spelling and the name service.'
  if (/TIMEOUT/.test(code)) return 'Check the network, or raise connect_timeout or read_timeout of the system.'
  if (/CERT|SELF_SIGNED|VERIFY/.test(code))
    return 'Give the certificate as custom_ca_pem_chain, or set verify_ssl to false.'
  return 'Check that the address is right and the system is running.'
}
