/** Phone numbers: extensions, regions, numbers, and the package they need. */

import { describe, expect, it } from 'vitest'
import { isInstalled, needsPackage, optionalPackage } from '../../../src/dtl/optional-package.ts'
import { evaluated, problemsOf } from '../settings.ts'

const parsed = (...args: unknown[]) => evaluated(['phonenumber-parse', ...args])
const formatted = (format: string, values: unknown) => evaluated(['phonenumber-format', format, values])

describe('phonenumber-parse', () => {
  it('takes strings and numbers, and leaves out what is no number', () => {
    expect(parsed('NO', ['list', 22222222, 22222222.5, '~f22222222.0', true, null, '~r+4722222222', 'hello'])).toBe(
      '["~rtel:+47-22-22-22-22","~rtel:+47-22-22-22-22"]',
    )
    expect(parsed('NO', ['float', 22222222])).toBe('"~rtel:+47-22-22-22-22"')
  })

  it('needs a country code, from the number or the region', () => {
    expect(parsed('22222222')).toBe('null')
    expect(parsed(null, '22222222')).toBe('null')
    expect(parsed('XX', ['list', '22222222', '+4722222222'])).toBe('["~rtel:+47-22-22-22-22"]')
    expect(parsed('no', '22 22 22 22')).toBe('"~rtel:+47-22-22-22-22"')
    expect(parsed('NO', '00 1 (213) 373-4253')).toBe('"~rtel:+1-213-373-4253"')
    expect(parsed(5, ['list', '+4722222222'])).toBe('null')
  })

  it('keeps extensions', () => {
    expect(parsed('+47 22 22 22 22 ext. 12')).toBe('"~rtel:+47-22-22-22-22;ext=12"')
  })

  it('takes soon what is long', () => {
    const startedAt = performance.now()
    for (const char of ['1', '+', '(', ' 1', 'a', '/']) evaluated(['phonenumber-parse', 'NO', char.repeat(200_000)])
    for (const char of ['1', '+', '(', ' 1', 'a', '/']) evaluated(['phonenumber-parse', 'NO', char.repeat(240)])
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })
})

describe('phonenumber-format', () => {
  it('takes what phonenumber-parse gives, in every format', () => {
    const us = ['phonenumber-parse', '+12133734253;ext=5']
    expect(formatted('rfc3966', us)).toBe('"tel:+1-213-373-4253;ext=5"')
    expect(formatted('country-code', us)).toBe('"1"')
    expect(formatted('isocode', us)).toBe('"US"')
    expect(formatted('national-e164', us)).toBe('"2133734253"')
    // Numbers of no country have none.
    expect(formatted('isocode', ['list', '~rtel:+800-1234-5678'])).toBe('[]')
  })

  it('leaves out other URIs and strings', () => {
    expect(formatted('e164', ['list', '+4722222222', '~rhttp://a.no/+4722222222', '~rtel:x'])).toBe('[]')
  })

  it('knows its formats', () => {
    const [problem] = problemsOf({ default: [['add', 'x', ['phonenumber-format', 'E164', '_S.a']]] })
    expect(problem).toMatchObject({
      level: 'error',
      pointer: '/rules/default/0/2/1',
      message: expect.stringContaining("'E164'"),
    })
  })
})

describe('an optional package that is not installed', () => {
  it('is a problem of the program, and an error where one slips through', () => {
    expect(isInstalled('libphonenumber-js/max')).toBe(true)
    expect(isInstalled('no-such-package/part')).toBe(false)
    const found: string[] = []
    const place = { kind: 'constant', pointer: '/x', value: null } as const
    needsPackage('no-such-package/part')([undefined, place], (at, message, hint) =>
      found.push(at.pointer, message, hint!),
    )
    expect(found).toEqual([
      '/x',
      "This function needs the package 'no-such-package', which is not installed.",
      'Install it: npm install no-such-package.',
    ])
    expect(optionalPackage('no-such-package/part')).toThrow("'no-such-package', which is not installed")
  })
})
