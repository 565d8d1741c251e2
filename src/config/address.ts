/** Addresses of machines and ranges of them, IPv4 and IPv6: read strictly, and the same address is the same number however it is written. */

import { isIP } from 'node:net'

export interface Address {
  /** Of IPv4, or of IPv6. IPv4 written as IPv6 (`::ffff:10.0.0.1`) is IPv4. */
  readonly bits: 32 | 128
  readonly value: bigint
}

/** From the first to the last address, both included. */
export interface AddressRange {
  readonly bits: 32 | 128
  readonly first: bigint
  readonly last: bigint
}

/** Dotted numbers, or IPv6 in any of its spellings, with or without brackets and zone; undefined for all else, names too. */
export function parseAddress(text: string): Address | undefined {
  const literal = text.replace(/^\[(.*)\]$/, '$1')
  const family = isIP(literal)
  if (family === 0) return undefined
  return family === 4 ? ipv4(numberOfDotted(literal)) : unmapped(numberOfGroups(literal))
}

/** An address, a range by prefix (`10.0.0.0/8`, `2001:db8::/32`), or the first and the last (`10.0.0.5-10.0.0.9`). */
export function parseRange(text: string): AddressRange | undefined {
  const [start = '', end, ...more] = text.trim().split('-')
  if (more.length > 0) return undefined
  if (end !== undefined) return between(parseAddress(start.trim()), parseAddress(end.trim()))
  const [base = '', prefix, ...rest] = start.split('/')
  if (rest.length > 0) return undefined
  const address = parseAddress(base)
  if (address === undefined || prefix === undefined) return between(address, address)
  return /^\d{1,3}$/.test(prefix) ? ofPrefix(base, address, Number(prefix)) : undefined
}

export const isWithin = ({ bits, value }: Address, range: AddressRange): boolean =>
  bits === range.bits && value >= range.first && value <= range.last

export const isWithinAny = (address: Address, ranges: readonly AddressRange[]): boolean =>
  ranges.some((range) => isWithin(address, range))

/** Ranges that are written in the code: a mistake there is found when it is loaded. */
export const rangesOf = (texts: readonly string[]): readonly AddressRange[] =>
  texts.map((text) => {
    const range = parseRange(text)
    if (range === undefined) throw new TypeError(`'${text}' is no range of addresses.`)
    return range
  })

function between(first: Address | undefined, last: Address | undefined): AddressRange | undefined {
  if (first === undefined || last === undefined || first.bits !== last.bits || first.value > last.value)
    return undefined
  return { bits: first.bits, first: first.value, last: last.value }
}

function ofPrefix(text: string, address: Address, prefix: number): AddressRange | undefined {
  // Of IPv4 written as IPv6 the prefix counts from the front of the longer number; a short one means more than IPv4.
  const isMapped = address.bits === 32 && text.includes(':')
  if (isMapped && prefix < MAPPED_BITS) return masked(128, (MAPPED << 32n) | address.value, prefix)
  return masked(address.bits, address.value, isMapped ? prefix - MAPPED_BITS : prefix)
}

function masked(bits: 32 | 128, value: bigint, prefix: number): AddressRange | undefined {
  if (prefix > bits) return undefined
  const size = 1n << BigInt(bits - prefix)
  const first = value - (value % size)
  return { bits, first, last: first + size - 1n }
}

const MAPPED_BITS = 96
const MAPPED = 0xffffn

const ipv4 = (value: bigint): Address => ({ bits: 32, value })

const unmapped = (value: bigint): Address =>
  value >> 32n === MAPPED ? ipv4(value & 0xffff_ffffn) : { bits: 128, value }

const numberOfDotted = (text: string): bigint =>
  text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n)

function numberOfGroups(text: string): bigint {
  const plain = text.replace(/%.*$/, '').replace(/\d+\.\d+\.\d+\.\d+$/, (dotted) => {
    const value = numberOfDotted(dotted)
    return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
  })
  const [before = [], after] = plain.split('::').map((part) => (part === '' ? [] : part.split(':')))
  const zeros = after === undefined ? [] : Array<string>(8 - before.length - after.length).fill('0')
  return [...before, ...zeros, ...(after ?? [])].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
}

/** This machine itself. */
export const LOOPBACK = rangesOf(['127.0.0.0/8', '::1'])
