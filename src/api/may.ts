/** The one question that is asked before each route and each dataset read: may this caller do this to that? */

import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

export type Action = 'read' | 'write' | 'operate' | 'administer'

export interface Resource {
  readonly kind: 'node' | 'tenant' | 'config' | 'pipe' | 'system' | 'dataset' | 'graph'
  readonly tenant: string
  readonly id?: string
}

/** Until there are tokens and roles there is one caller with rights: whoever sits at this machine. */
export type Caller = { readonly kind: 'local' } | { readonly kind: 'elsewhere'; readonly why: string }

export function may(caller: Caller, _action: Action, _resource: Resource): boolean {
  return caller.kind === 'local'
}

/**
 * Who asks. A loopback address alone proves little: a web page that another site has put into the browser of this
 * machine connects from here too. Its request carries that site's name, as `Host` when the name was made to point here
 * (DNS rebinding) and as `Origin` when it posts across sites; a proxy says for whom it asks. So every name in
 * the request must be one of this machine.
 */
export function callerOf(request: IncomingMessage): Caller {
  const { remoteAddress } = request.socket
  const { host, origin, 'x-forwarded-for': forwarded } = request.headers
  if (!isLoopbackAddress(remoteAddress ?? '')) return elsewhere(`the connection comes from ${remoteAddress}`)
  if (host === undefined || !isLoopbackHost(host)) return elsewhere(`it asks for the host '${host ?? ''}'`)
  if (origin !== undefined && !isLoopbackOrigin(origin)) return elsewhere(`it was sent by a page of '${origin}'`)
  const sources = [forwarded ?? []].flat().flatMap((list) => list.split(','))
  const foreign = sources.find((address) => !isLoopbackAddress(address.trim()))
  return foreign === undefined ? { kind: 'local' } : elsewhere(`it was forwarded for '${foreign.trim()}'`)
}

function isLoopbackAddress(address: string): boolean {
  const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address
  return isIP(plain) === 4 ? plain.startsWith('127.') : plain === '::1'
}

/** Whether a name with or without a port can only mean this machine. */
export function isLoopbackHost(host: string): boolean {
  const name = host
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase()
  return name === 'localhost' || name.endsWith('.localhost') || isLoopbackAddress(name)
}

function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && isLoopbackHost(new URL(origin).hostname)
}

const elsewhere = (why: string): Caller => ({ kind: 'elsewhere', why })
