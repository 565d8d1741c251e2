import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isWithin, parseAddress, parseRange } from '../../src/config/address.ts'

const isIn = (address: string, range: string): boolean => {
  const [one, other] = [parseAddress(address), parseRange(range)]
  if (one === undefined || other === undefined) throw new Error(`${address} or ${range} cannot be read`)
  return isWithin(one, other)
}

describe('an address', () => {
  test('is the same however it is written', () => {
    const same = [
      ['10.0.0.1', '::ffff:10.0.0.1', '::ffff:a00:1', '[::ffff:10.0.0.1]', '0:0:0:0:0:ffff:0a00:0001'],
      ['2001:db8::1', '2001:DB8:0:0::1', '[2001:db8::1]', '2001:db8::0.0.0.1'],
      ['fe80::1', 'fe80::1%eth0', 'fe80:0:0:0:0:0:0:1'],
      ['::', '0::0', '::0.0.0.0'],
    ]
    for (const spellings of same) {
      for (const one of spellings) expect(parseAddress(one), one).toEqual(parseAddress(spellings[0] as string))
    }
  })

  test('is nothing else: no name, no odd number, no range', () => {
    for (const text of [
      '',
      'localhost',
      '10.0.0',
      '010.0.0.1',
      '0x7f.1',
      '2130706433',
      '1.2.3.4:80',
      '::1/128',
      '1.2.3.256',
      ':::',
    ]) {
      expect(parseAddress(text), text).toBeUndefined()
    }
  })

  test('of IPv6 has its value', () => {
    const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
    fc.assert(
      fc.property(groups, (all) => {
        const value = all.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n)
        const isMapped = value >> 32n === 0xffffn
        expect(parseAddress(all.map((group) => group.toString(16)).join(':'))).toEqual(
          isMapped ? { bits: 32, value: value & 0xffff_ffffn } : { bits: 128, value },
        )
      }),
    )
  })
})

describe('a range', () => {
  test.each([
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.0.0.0', '10.0.0.0/8', false],
    ['10.255.255.255', '10.77.0.0/8', true],
    ['::ffff:10.1.2.3', '10.0.0.0/8', true],
    ['10.1.2.3', '::ffff:10.0.0.0/104', true],
    ['10.1.2.3', '::ffff:0:0/96', true],
    ['1.2.3.4', '0.0.0.0/0', true],
    ['2001:db8::1', '0.0.0.0/0', false],
    ['1.2.3.4', '::/0', false],
    ['2001:db8:ffff::1', '2001:db8::/32', true],
    ['2001:db9::', '2001:db8::/32', false],
    ['192.168.1.7', '192.168.1.7', true],
    ['192.168.1.8', '192.168.1.7', false],
    ['10.0.0.7', '10.0.0.5-10.0.0.9', true],
    ['10.0.0.10', '10.0.0.5-10.0.0.9', false],
    ['2001:db8::7', '2001:db8::5 - 2001:db8::9', true],
  ])('%s within %s: %s', (address, range, expected) => {
    expect(isIn(address, range)).toBe(expected)
  })

  test('is read strictly', () => {
    for (const text of [
      '',
      '10.0.0.0/33',
      '::1/129',
      '10.0.0.0/',
      '10.0.0.0/-1',
      '10.0.0.0/8/8',
      'example.org',
      '10.0.0.9-10.0.0.5',
      '10.0.0.1-::1',
      '10.0.0.0/8x',
      '1-2-3',
    ]) {
      expect(parseRange(text), text).toBeUndefined()
    }
  })
})
