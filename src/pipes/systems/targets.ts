/** Which network addresses requests may go to: never link-local ones, and inner ones only where the hub allows it (design §10). */

import { type LookupAddress, lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import {
  type Address,
  type AddressRange,
  isWithinAny,
  parseAddress,
  parseRange,
  rangesOf,
} from '../../config/address.ts'
import { PipeError } from '../errors.ts'

/** Plain data: it crosses between threads. */
export interface TargetRules {
  /** Loopback and private addresses are open. Link-local ones never are. */
  readonly inner: boolean
  /** Inner addresses, ranges and names (`erp.example.org`, `*.example.org`) that are open all the same. */
  readonly allowed: readonly string[]
}

/** All but link-local addresses: for what whoever started the hub asked for. */
export const ALL_TARGETS: TargetRules = { inner: true, allowed: [] }

/** Public addresses only. */
export const OUTER_TARGETS: TargetRules = { inner: false, allowed: [] }

/** Asked before each request, each redirect, and with each name that is resolved. */
export class Targets {
  readonly #inner: boolean
  readonly #ranges: readonly AddressRange[]
  readonly #names: readonly string[]

  constructor({ inner, allowed }: TargetRules) {
    this.#inner = inner
    this.#ranges = allowed.flatMap((text) => parseRange(text) ?? [])
    this.#names = allowed.filter((text) => parseRange(text) === undefined).map(plainName)
  }

  /**
   * Throws `target-refused` when the host of an address is a literal that may not be reached. What a name stands for is
   * looked at by {@link lookup}, at the moment of connecting.
   */
  check(hostname: string): void {
    const address = parseAddress(plainName(hostname))
    const refusal = address === undefined ? undefined : this.#refusalOf(address, false)
    if (refusal !== undefined) throw refusedTarget(hostname, refusal)
  }

  /**
   * Resolves names as usual and leaves out what may not be reached. The connection is made to what this gives and nothing
   * else, so a name that means something else a moment later changes nothing.
   */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error !== null) return callback(error, '', 0)
      const isNamed = this.#isNamed(hostname)
      const open = found.filter(({ address }) => this.#refusalOfText(address, isNamed) === undefined)
      const first = open[0]
      if (first === undefined) {
        const kinds = found.map(({ address }) => this.#refusalOfText(address, isNamed))
        return callback(refusedTarget(hostname, kinds[0] ?? 'private'), '', 0)
      }
      if (options.all === true) callback(null, open)
      else callback(null, first.address, first.family)
    })
  }

  #refusalOfText(text: string, isNamed: boolean): Refusal | undefined {
    const address = parseAddress(text)
    // What cannot be read cannot be trusted.
    return address === undefined ? 'private' : this.#refusalOf(address, isNamed)
  }

  #refusalOf(address: Address, isNamed: boolean): Refusal | undefined {
    const all = [address, ...carried(address)]
    if (all.some((one) => isWithinAny(one, linkLocal))) return 'link-local'
    if (this.#inner || isNamed || isWithinAny(address, this.#ranges)) return undefined
    return all.some((one) => isWithinAny(one, inner)) ? 'private' : undefined
  }

  #isNamed(hostname: string): boolean {
    const name = plainName(hostname)
    return this.#names.some((one) => (one.startsWith('*.') ? name.endsWith(one.slice(1)) : name === one))
  }
}

/** Whether a text can stand in {@link TargetRules.allowed}. */
export const isTarget = (text: string): boolean =>
  parseRange(text) !== undefined ||
  (/^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?$/i.test(text) && !/^[\d.]+$/.test(text))

type Refusal = 'link-local' | 'private'

/** A URL writes IPv6 in brackets, and has already brought odd spellings of IPv4 (hex, octal, one number) to dots. */
const plainName = (hostname: string): string =>
  hostname
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase()

function refusedTarget(host: string, kind: Refusal): PipeError {
  return new PipeError('target-refused', `The address ${host} may not be reached from here: it is ${kind}.`, {
    details: { host, kind },
    hint:
      kind === 'link-local'
        ? 'Link-local addresses hold the keys of cloud machines and are always closed.'
        : 'Whoever runs the hub opens such addresses by name or number: samtale serve --allow-targets.',
  })
}

/** IPv4 addresses within an IPv6 one, to which a gateway or tunnel would lead. */
function carried({ bits, value }: Address): readonly Address[] {
  if (bits === 32) return []
  const last = value & 0xffff_ffffn
  const found: bigint[] = []
  // NAT64, IPv4 written as IPv6 the old way (::a.b.c.d), and its translated form (::ffff:0:a.b.c.d).
  if ([0x64_ff9bn << 64n, 0n, 0xffff_0000n].includes(value >> 32n)) found.push(last)
  // 6to4: behind the prefix 2002.
  if (value >> 112n === 0x2002n) found.push((value >> 80n) & 0xffff_ffffn)
  // Teredo hides the client's address by turning its bits over, and names its server openly.
  if (value >> 96n === 0x2001_0000n) found.push(last ^ 0xffff_ffffn, (value >> 64n) & 0xffff_ffffn)
  // ISATAP, in whatever network.
  if ([0x5efen, 0x0200_5efen].includes((value >> 32n) & 0xffff_ffffn)) found.push(last)
  // NAT64 of a network's own, where the number is parted around bits that stay empty.
  if (value >> 80n === 0x64_ff9b_0001n) {
    found.push(last, (((value >> 64n) & 0xffffn) << 16n) | ((value >> 40n) & 0xffffn))
  }
  return found.map((one) => ({ bits: 32, value: one }))
}

const linkLocal = rangesOf([
  '169.254.0.0/16',
  'fe80::/10',
  // What clouds call 169.254.169.254 elsewhere: they give keys to whoever asks from the machine.
  'fd00:ec2::254',
  'fd20:ce::254',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
])

const inner = rangesOf([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/3',
  '::/127',
  '64:ff9b:1::/48',
  'fc00::/7',
  'fec0::/10',
  'ff00::/8',
])
