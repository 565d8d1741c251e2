import { describe, expect, test } from 'vitest'
import { parseAddress } from '../../src/config/address.ts'
import { NetworkPolicy, readNetworkPolicy } from '../../src/config/network-policy.ts'

function admits(given: object, address: string | undefined, pipe?: string, tenant = 'default'): boolean {
  const { policy, problems } = readNetworkPolicy(given)
  expect(problems).toEqual([])
  const asked = address === undefined ? undefined : parseAddress(address)
  return new NetworkPolicy(policy).admits(asked, pipe === undefined ? undefined : { tenant, pipe })
}

describe('a network policy', () => {
  test('lets everybody in when it says nothing', () => {
    expect(admits({}, '203.0.113.9')).toBe(true)
    expect(admits({}, undefined)).toBe(true)
  })

  test('refuses all that its allow list does not name', () => {
    const policy = { allow: ['10.0.0.0/8', { range: '2001:db8::/32', description: 'the office' }] }
    expect(admits(policy, '10.1.1.1')).toBe(true)
    expect(admits(policy, '::ffff:10.1.1.1')).toBe(true)
    expect(admits(policy, '2001:db8::7')).toBe(true)
    expect(admits(policy, '11.1.1.1')).toBe(false)
    expect(admits(policy, '127.0.0.1')).toBe(false)
    expect(admits(policy, undefined)).toBe(false)
  })

  test('refuses what its deny list names, whatever is allowed', () => {
    const policy = { allow: ['10.0.0.0/8'], deny: ['10.6.6.0/24'], pipes: [{ pipe: 'in', allow: ['10.6.6.6'] }] }
    expect(admits(policy, '10.6.6.6')).toBe(false)
    expect(admits(policy, '10.6.6.6', 'in')).toBe(false)
    expect(admits(policy, '10.6.7.6')).toBe(true)
    expect(admits({ deny: ['10.6.6.6'] }, undefined)).toBe(false)
  })

  test('has lists for the endpoints of single pipes: an allow list there counts in place of the node’s', () => {
    const policy = {
      allow: ['10.0.0.0/8'],
      pipes: [
        { pipe: 'partner', allow: ['203.0.113.0/24'] },
        { pipe: 'quiet', deny: ['10.1.0.0/16'] },
        { tenant: 'other', pipe: 'quiet', allow: ['198.51.100.1'] },
      ],
    }
    expect(admits(policy, '203.0.113.7')).toBe(false)
    expect(admits(policy, '203.0.113.7', 'partner')).toBe(true)
    expect(admits(policy, '10.1.1.1', 'partner')).toBe(false)
    expect(admits(policy, '10.1.1.1', 'quiet')).toBe(false)
    expect(admits(policy, '10.2.1.1', 'quiet')).toBe(true)
    expect(admits(policy, '198.51.100.1', 'quiet', 'other')).toBe(true)
    expect(admits(policy, '203.0.113.7', 'another')).toBe(false)
  })

  test('says all that is wrong with it, and a word it does not know is wrong', () => {
    const { problems } = readNetworkPolicy({
      alow: [],
      deny: ['10.0.0.0/40', 'example.org'],
      pipes: [{ allow: [] }],
    })
    expect(problems.map(({ pointer, hint }) => [pointer, hint])).toEqual(
      expect.arrayContaining([
        ['/alow', "Did you mean 'allow'?"],
        ['/pipes/0/pipe', undefined],
      ]),
    )
    expect(readNetworkPolicy({ deny: ['10.0.0.0/40', 'example.org'] }).problems.map(({ pointer }) => pointer)).toEqual([
      '/deny/0/range',
      '/deny/1/range',
    ])
    for (const given of [null, [], 'deny', 7, { allow: 'all' }, { allow: [7] }]) {
      expect(readNetworkPolicy(given).problems.length, JSON.stringify(given)).toBeGreaterThan(0)
    }
  })
})
