import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { callerAddress } from '../../../src/api/network/caller-address.ts'
import { NetworkPolicy, readNetworkPolicy } from '../../../src/config/network-policy.ts'

const policy = new NetworkPolicy(
  readNetworkPolicy({ trusted_proxies: ['127.0.0.1', '10.0.0.0/8', '2001:db8::/32'] }).policy,
)

/** What is taken for the caller: text and scheme. */
function callerOf(headers: Record<string, string>, remoteAddress = '127.0.0.1', encrypted = false) {
  const request = { socket: { remoteAddress, encrypted }, headers } as unknown as IncomingMessage
  const { text, scheme, address } = callerAddress(request, policy)
  expect(address === undefined).toBe(text === null)
  return `${text} ${scheme}`
}

const forwarded = (list: string, more: Record<string, string> = {}) => ({ 'x-forwarded-for': list, ...more })

describe('who asks', () => {
  test('is the other end of the connection when nobody is trusted there, whatever it claims', () => {
    expect(callerOf(forwarded('10.0.0.1'), '203.0.113.5')).toBe('203.0.113.5 http')
    expect(callerOf({ forwarded: 'for=10.0.0.1;proto=https' }, '203.0.113.5', true)).toBe('203.0.113.5 https')
    expect(callerOf(forwarded('1.1.1.1', { forwarded: 'for=2.2.2.2' }), '203.0.113.5')).toBe('203.0.113.5 http')
    expect(callerOf({}, '127.0.0.1')).toBe('127.0.0.1 http')
  })

  test('is read from right to left, as far as each that wrote is trusted', () => {
    expect(callerOf(forwarded('203.0.113.5'))).toBe('203.0.113.5 http')
    expect(callerOf(forwarded('1.1.1.1, 203.0.113.5'))).toBe('203.0.113.5 http')
    expect(callerOf(forwarded('1.1.1.1, 203.0.113.5, 10.2.3.4'))).toBe('203.0.113.5 http')
    expect(callerOf(forwarded('10.9.9.9, 10.2.3.4'))).toBe('10.9.9.9 http')
    expect(callerOf(forwarded('203.0.113.5'), '::ffff:127.0.0.1')).toBe('203.0.113.5 http')
  })

  test('may have a port, and may be written as proxies do', () => {
    expect(callerOf(forwarded('203.0.113.5:4711'))).toBe('203.0.113.5 http')
    expect(callerOf(forwarded('[2001:db9::1]:4711'))).toBe('2001:db9::1 http')
    expect(callerOf(forwarded('2001:db9::1'))).toBe('2001:db9::1 http')
    expect(callerOf({ forwarded: 'For="[2001:db9::1]:4711";Proto=HTTPS;by=10.0.0.1' })).toBe('2001:db9::1 https')
    expect(callerOf({ forwarded: 'for=1.1.1.1, for="203.0.113.5";proto=https , for=10.0.0.1;proto=http' })).toBe(
      '203.0.113.5 https',
    )
    expect(callerOf({ forwarded: 'for="1.1.1.1, 2.2.2.2", for=203.0.113.5' })).toBe('203.0.113.5 http')
  })

  test('is nobody who can be named when a proxy does not say', () => {
    for (const name of ['unknown', '_hidden', 'evil.example', '10.0.0', '""', '"']) {
      expect(callerOf({ forwarded: `for=${name}` }), name).toBe('null http')
    }
    expect(callerOf(forwarded('203.0.113.5, unknown'))).toBe('null http')
    expect(callerOf({ forwarded: ';;,' })).toBe('null http')
    expect(callerOf(forwarded(' , '))).toBe('127.0.0.1 http')
  })

  test('speaks what the proxy says it speaks', () => {
    expect(callerOf(forwarded('203.0.113.5', { 'x-forwarded-proto': 'https' }))).toBe('203.0.113.5 https')
    expect(callerOf(forwarded('1.1.1.1, 203.0.113.5', { 'x-forwarded-proto': 'http, https' }))).toBe(
      '203.0.113.5 https',
    )
    expect(callerOf(forwarded('203.0.113.5, 10.1.1.1', { 'x-forwarded-proto': 'https' }))).toBe('203.0.113.5 https')
    expect(callerOf(forwarded('203.0.113.5', { 'x-forwarded-proto': 'gopher' }))).toBe('203.0.113.5 http')
    expect(callerOf(forwarded('203.0.113.5'), '127.0.0.1', true)).toBe('203.0.113.5 https')
  })

  test('is refused when two headers name two callers: one of them is a lie', () => {
    expect(() => callerOf(forwarded('203.0.113.5', { forwarded: 'for=198.51.100.1' }))).toThrow(/same caller/)
    expect(callerOf(forwarded('203.0.113.5', { forwarded: 'for=203.0.113.5;proto=https' }))).toBe('203.0.113.5 https')
  })
})
