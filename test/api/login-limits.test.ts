import { expect, it } from 'vitest'
import { LoginLimits } from '../../src/api/login-limits.ts'

const tries = (limits: LoginLimits, address: (n: number) => string, account: (n: number) => string): number => {
  for (let n = 0; ; n++) {
    try {
      limits.begin(address(n), account(n))
    } catch {
      return n
    }
    if (n > 1_000) return n
  }
}

it('stops whoever tries many accounts from one address, and many addresses at one account', () => {
  expect(
    tries(
      new LoginLimits(),
      () => '10.0.0.1',
      (n) => `a${n}`,
    ),
  ).toBe(30)
  expect(
    tries(
      new LoginLimits(),
      (n) => `10.0.${n % 250}.1`,
      () => 'A ',
    ),
  ).toBe(10)
  expect(
    tries(
      new LoginLimits(),
      (n) => `2001:db8:1:2::${n.toString(16)}`,
      (n) => `a${n}`,
    ),
  ).toBe(30)
  expect(
    tries(
      new LoginLimits(),
      (n) => `2001:db8:1:${n.toString(16)}::1`,
      (n) => `a${n}`,
    ),
  ).toBeGreaterThan(1_000)
  expect(
    tries(
      new LoginLimits(),
      (n) => (n % 2 ? '::ffff:10.0.0.1' : '10.0.0.1'),
      (n) => `a${n}`,
    ),
  ).toBe(30)
})

it('counts anew after a while, and says how long that is', () => {
  let now = 0
  const limits = new LoginLimits(() => now)
  const all = () =>
    tries(
      limits,
      () => 'x',
      () => 'a',
    )
  expect(all()).toBe(10)
  now = 60_000
  expect(() => limits.begin('x', 'a')).toThrow(expect.objectContaining({ details: { retryAfterSeconds: 840 } }))
  now = 15 * 60_000 + 1
  expect(all()).toBe(10)
})

it('forgives an account whose password was right, and takes nothing from an address but that try', () => {
  const limits = new LoginLimits()
  for (let n = 0; n < 9; n++) limits.begin('x', 'a')
  limits.begin('x', 'a')
  limits.succeeded('x', 'a')
  expect(
    tries(
      limits,
      () => 'y',
      () => 'a',
    ),
  ).toBe(10)
  expect(
    tries(
      limits,
      () => 'x',
      (n) => `b${n}`,
    ),
  ).toBe(21)
})
