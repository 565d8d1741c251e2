/** From where a request really comes: what proxies say of it, as far as they are trusted, read from right to left. */

import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { type Address, parseAddress } from '../../config/address.ts'
import type { NetworkPolicy } from '../../config/network-policy.ts'
import { ApiError } from '../errors.ts'

export interface CallerAddress {
  /** Undefined: a trusted proxy does not say. */
  readonly address: Address | undefined
  /** The same as text, for logs. */
  readonly text: string | null
  /** What the caller speaks, to the first trusted proxy or to us. */
  readonly scheme: 'http' | 'https'
  /** A trusted proxy asks for the caller. */
  readonly isForwarded: boolean
}

/** Throws `bad-forwarded` when trusted proxies say two things. */
export function callerAddress(
  request: Pick<IncomingMessage, 'headers' | 'socket'>,
  policy: NetworkPolicy,
): CallerAddress {
  const { remoteAddress = null, encrypted = false } = request.socket as Partial<TLSSocket> & IncomingMessage['socket']
  const address = remoteAddress === null ? undefined : parseAddress(remoteAddress)
  const direct: CallerAddress = {
    address,
    text: remoteAddress,
    scheme: encrypted ? 'https' : 'http',
    isForwarded: false,
  }
  // Of anybody else these headers are hearsay.
  if (address === undefined || !policy.isTrusted(address)) return direct
  const told = [forwardedOf(request), xForwardedOf(request)].filter((hops) => hops.length > 0)
  const [first, second] = told.map((hops) => walked(direct, hops, policy))
  if (second !== undefined && first?.text !== second.text) {
    // One of both was written by the caller, and nobody knows which.
    throw new ApiError('bad-forwarded', 'Forwarded and X-Forwarded-For do not name the same caller.', {
      hint: 'Let the proxy write one of them and remove the other.',
    })
  }
  return first ?? direct
}

interface Hop {
  readonly name: string
  readonly scheme: string | undefined
}

/** Each hop was written by the one to its right: as long as that one is trusted, it is believed. */
function walked(direct: CallerAddress, hops: readonly Hop[], policy: NetworkPolicy): CallerAddress {
  let caller = direct
  for (const { name, scheme } of hops.toReversed()) {
    if (caller.address === undefined || !policy.isTrusted(caller.address)) break
    const literal = withoutPort(name)
    const address = parseAddress(literal)
    const said = scheme?.toLowerCase()
    caller = {
      address,
      text: address === undefined ? null : literal,
      scheme: said === 'http' || said === 'https' ? said : caller.scheme,
      isForwarded: true,
    }
  }
  return caller
}

function xForwardedOf({ headers }: Pick<IncomingMessage, 'headers'>): readonly Hop[] {
  const names = listOf(headers['x-forwarded-for'])
  const schemes = listOf(headers['x-forwarded-proto'])
  // Most proxies write one scheme, that of the caller, however many hops there are.
  return names.map((name, place) => ({
    name,
    scheme: schemes.length === names.length ? schemes[place] : schemes.at(-1),
  }))
}

/** RFC 7239: `for="[2001:db8::1]:4711";proto=https, for=192.0.2.43`. */
function forwardedOf({ headers }: Pick<IncomingMessage, 'headers'>): readonly Hop[] {
  const header = headers.forwarded
  if (header === undefined || header.trim() === '') return []
  return parts(header, ',').map((element) => {
    const pairs = new Map(
      parts(element, ';').map((pair): [string, string] => {
        const [name = '', ...value] = pair.split('=')
        return [name.trim().toLowerCase(), unquoted(value.join('=').trim())]
      }),
    )
    return { name: pairs.get('for') ?? 'unknown', scheme: pairs.get('proto') }
  })
}

const listOf = (header: string | readonly string[] | undefined): readonly string[] =>
  [header ?? []]
    .flat()
    .flatMap((list) => list.split(','))
    .map((one) => one.trim())
    .filter((one) => one !== '')

/** Parts between a separator that does not stand in quotes. */
function parts(text: string, separator: string): readonly string[] {
  const found: string[] = ['']
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string
    if (char === '"') isQuoted = !isQuoted
    if (char === '\\' && isQuoted) found.push(`${found.pop()}${char}${text[++at] ?? ''}`)
    else if (char === separator && !isQuoted) found.push('')
    else found.push(`${found.pop()}${char}`)
  }
  return found
}

const unquoted = (text: string): string => (/^".*"$/.test(text) ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text)

/** `192.0.2.1:80` and `[2001:db8::1]:80` with their ports; IPv6 without brackets has none. */
const withoutPort = (name: string): string =>
  /^\[(.*)\](?::\S*)?$/.exec(name)?.[1] ?? /^([\d.]+):\d+$/.exec(name)?.[1] ?? name
