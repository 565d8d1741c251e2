/** Which network addresses may be reached: never link-local ones, and inner ones only where the hub allows it (design §10). */

import { type LookupAddress, lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { PipeError } from '../errors.ts'

/** Throws `target-refused` when the host of an address is a literal that may not be reached; names are checked by {@link guardedLookup}. */
export function checkTarget(hostname: string, privateTargets: boolean): void {
  // A URL writes IPv6 in brackets, and has already brought odd spellings of IPv4 (hex, octal, one number) to dots.
  const literal = hostname.replace(/^\[|\]$/g, '')
  const refusal = isIP(literal) === 0 ? undefined : refusalOf(literal, privateTargets)
  if (refusal !== undefined) throw refusedTarget(hostname, refusal)
}

/** Resolves names as usual and leaves out what may not be reached: whatever a name points at is only known here. */
export function guardedLookup(privateTargets: boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error !== null) return callback(error, '', 0)
      const open = found.filter(({ address }) => refusalOf(address, privateTargets) === undefined)
      const first = open[0]
      if (first === undefined) {
        const kinds = found.map(({ address }) => refusalOf(address, privateTargets))
        return callback(refusedTarget(hostname, kinds[0] ?? 'missing'), '', 0)
      }
      if (options.all === true) callback(null, open)
      else callback(null, first.address, first.family)
    })
  }
}

function refusedTarget(host: string, kind: string): PipeError {
  return new PipeError('target-refused', `${host} is not reached: it is a ${kind} address.`, {
    details: { host, kind },
    hint:
      kind === 'link-local'
        ? 'Link-local addresses hold the keys of cloud machines and are always closed.'
        : 'Loopback and private addresses are open only to configuration from this machine.',
  })
}

function refusalOf(address: string, privateTargets: boolean): 'link-local' | 'private' | undefined {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
  if (linkLocal.check(address, family)) return 'link-local'
  return !privateTargets && inner.check(address, family) ? 'private' : undefined
}

// BlockList itself takes IPv4 written as IPv6 (::ffff:a.b.c.d) for what it is; NAT64 (64:ff9b::) and 6to4 (2002:) are ours.
const linkLocal = new BlockList()
linkLocal.addSubnet('169.254.0.0', 16, 'ipv4')
linkLocal.addSubnet('fe80::', 10, 'ipv6')
linkLocal.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6')
linkLocal.addSubnet('2002:a9fe::', 32, 'ipv6')
// The same service as 169.254.169.254, under a unique local address.
linkLocal.addAddress('fd00:ec2::254', 'ipv6')

const inner = new BlockList()
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['224.0.0.0', 3],
] as const) {
  inner.addSubnet(net, prefix, 'ipv4')
  const [a = 0, b = 0] = net.split('.').map(Number)
  const hex = (a * 256 + b).toString(16)
  inner.addSubnet(`64:ff9b::${hex}:0`, 96 + prefix, 'ipv6')
  inner.addSubnet(`2002:${hex}::`, 16 + prefix, 'ipv6')
}
inner.addSubnet('::', 127, 'ipv6')
inner.addSubnet('fc00::', 7, 'ipv6')
inner.addSubnet('ff00::', 8, 'ipv6')
