/** Passes a request of a client on to a microservice, and its answer back as it comes. */

import type { SystemPort } from '../../pipes/systems/contract.ts'
import type { ForwardRequest } from '../contract.ts'
import type { ForwardHead } from '../pump-protocol.ts'

/** Of one connection only (RFC 9110 §7.6.1), or about the body as it was on its way to here. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
  'content-encoding',
  'accept-encoding',
  'expect',
])
/** Who asks is told the hub, and nobody behind it; nobody behind it speaks for the hub. */
const PRIVATE = new Set(['authorization', 'cookie', 'set-cookie', 'x-expected-node-id', 'origin', 'referer'])

/** The head first, then the body. */
export async function* forwarded(
  system: SystemPort,
  { method, path, query, headers, body }: ForwardRequest,
  signal: AbortSignal,
): AsyncGenerator<ForwardHead | Uint8Array> {
  const answer = await system.request(
    // Whatever stands there is below the service: no path is an address of its own.
    {
      method,
      url: `./${path}${query === '' ? '' : `?${query}`}`,
      headers: passed(headers),
      ...(body.length === 0 ? {} : { body }),
    },
    signal,
  )
  yield { status: answer.status, headers: passed(answer.headers) }
  yield* answer.body
}

const passed = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name) && !PRIVATE.has(name)))
