/** An open `system:url`: makes addresses from its pattern, and sends credentials to its own server only. */

import { rootCertificates } from 'node:tls'
import { PipeError } from '../errors.ts'
import { HttpClient } from '../http.ts'
import type { RetryStrategy } from '../retries/settings.ts'
import { retryStrategyOf } from '../retries/strategy.ts'
import { noSecrets } from '../secrets.ts'
import type { SystemPort, SystemRequest, SystemResponse, SystemSurroundings } from './contract.ts'
import { openFile } from './files.ts'
import { isSecretName, maskAddress, masking } from './secrets.ts'
import { ALL_TARGETS } from './targets.ts'
import { resolveAddress, sameServer } from './url-address.ts'
import type { UrlConfig } from './url-config.ts'

type Headers = Readonly<Record<string, string>>

export class UrlPort implements SystemPort {
  readonly id: string
  readonly mask: (text: string) => string
  readonly retryStrategy: RetryStrategy | null
  readonly #config: UrlConfig
  readonly #folder: string | null
  readonly #http: HttpClient

  constructor(id: string, config: UrlConfig, surroundings: SystemSurroundings) {
    const { folder, targets = ALL_TARGETS, secrets = noSecrets } = surroundings
    this.id = id
    const own = masking(secretsOf(config))
    this.mask = (text) => secrets.mask(own(text))
    this.#config = config
    this.retryStrategy = retryStrategyOf(config.retry_strategy)
    this.#folder = folder
    const chain = config.custom_ca_pem_chain
    this.#http = new HttpClient({
      connectTimeoutMs: config.connect_timeout * 1000,
      readTimeoutMs: config.read_timeout * 1000,
      verifyCertificates: config.verify_ssl,
      ...(chain === undefined ? {} : { extraCertificates: [...rootCertificates, chain] }),
      targets,
      mask: this.mask,
    })
  }

  async request(request: SystemRequest, signal: AbortSignal): Promise<SystemResponse> {
    const method = request.method ?? 'GET'
    const { url, home } = resolveAddress(this.id, this.#config, this.#folder, request, this.mask)
    if (url.protocol === 'file:') return fileAnswer(url, method, signal)
    const userinfo = takeUserinfo(url)
    const asked = lowerCase(request.headers)
    const answer = await this.#http.send(
      {
        method,
        url,
        headers: (to) => ({
          ...(sameServer(to, home) ? lowerCase(this.#config.headers) : {}),
          ...(sameServer(to, url) ? asked : harmless(asked)),
          ...(userinfo !== undefined && sameServer(to, url) ? { authorization: basic(userinfo) } : {}),
          ...(sameServer(to, home) ? this.#credentials() : {}),
        }),
        ...(request.body === undefined ? {} : { body: request.body }),
      },
      signal,
    )
    return response(answer.status, answer.headers, this.mask(maskAddress(answer.url)), answer.body)
  }

  async close(): Promise<void> {
    await this.#http.close()
  }

  #credentials(): Headers {
    const { authentication, username = '', password = '', jwt_token: token } = this.#config
    if (authentication === 'basic') return { authorization: basic(`${username}:${password}`) }
    // hub.md §17.1: jwt_token overrides an Authorization header.
    return token === undefined ? {} : { authorization: `Bearer ${token}` }
  }
}

async function fileAnswer(url: URL, method: string, signal: AbortSignal): Promise<SystemResponse> {
  if (method !== 'GET') {
    throw new PipeError('bad-request', `${url.href} is a file, which can only be read; ${method} needs a web server.`, {
      details: { address: url.href },
    })
  }
  const { size, body } = await openFile(url, signal)
  return response(200, { 'content-length': String(size) }, url.href, body)
}

function response(status: number, headers: Headers, address: string, body: AsyncIterable<Uint8Array>): SystemResponse {
  const text = async () => {
    const parts: Uint8Array[] = []
    for await (const part of body) parts.push(part)
    return Buffer.concat(parts).toString('utf8')
  }
  return { status, headers, address, body, text }
}

/** Takes `user:password` out of the address: it travels as a header. */
function takeUserinfo(url: URL): string | undefined {
  const { username, password } = url
  url.username = ''
  url.password = ''
  if (username === '' && password === '') return undefined
  return `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
}

/** Headers that say nothing about who asks. */
const harmless = (headers: Headers): Headers =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name === 'accept' || name === 'content-type'))

const basic = (userinfo: string): string => `Basic ${Buffer.from(userinfo).toString('base64')}`

const lowerCase = (headers: Headers = {}): Headers =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

function secretsOf(config: UrlConfig): readonly string[] {
  const secrets = [config.password, config.jwt_token]
  if (config.password !== undefined) secrets.push(basic(`${config.username ?? ''}:${config.password}`).slice(6))
  for (const [name, value] of Object.entries(config.headers ?? {})) if (isSecretName(name)) secrets.push(value)
  const pattern = config.url_pattern ?? config.base_url ?? ''
  secrets.push(/:\/\/[^/@]*:([^/@]+)@/.exec(pattern)?.[1])
  for (const [, name = '', value] of pattern.matchAll(/[?&]([^=&]+)=([^&]*)/g)) {
    if (isSecretName(name) && value !== '%s') secrets.push(value)
  }
  return secrets.filter((secret) => secret !== undefined)
}
