import fc from 'fast-check'
import { expect, it } from 'vitest'
import { masking } from '../../src/pipes/systems/secrets.ts'

/** Ways in which a text comes to stand in another one, and whether it can be told from chance there. */
const ENCODINGS: readonly ((secret: string) => string)[] = [
  (secret) => `a ${secret} b`,
  (secret) => JSON.stringify({ message: `it said ${secret}` }),
  (secret) => JSON.stringify({ inner: JSON.stringify({ a: secret }) }),
  (secret) => `https://host/?key=${encodeURIComponent(secret)}&b`,
  (secret) => new URLSearchParams({ a: secret }).toString(),
  (secret) => encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase()),
  (secret) => Buffer.from(secret).toString('hex'),
]
const WITHIN = ['', 'u', 'us', 'use', 'user:']

it('no text tells a secret, in whatever encoding it travels, nor within a longer one', () => {
  const secret = fc.oneof(
    fc.string({ minLength: 8, maxLength: 40 }),
    fc.string({ minLength: 8, maxLength: 20, unit: 'grapheme' }),
  )
  fc.assert(
    fc.property(secret, (text) => {
      const mask = masking([text])
      for (const encode of ENCODINGS) {
        const told = mask(encode(text))
        expect(told).toContain('***')
        expect(told).not.toContain(text)
      }
      for (const before of WITHIN) {
        for (const encoding of ['base64', 'base64url'] as const) {
          const whole = Buffer.from(`${before}${text}:more`).toString(encoding)
          // The letters at both ends hold bits of the neighbours: of the secret's own bytes all but the outermost are hidden.
          const left = Buffer.from(mask(whole).replace('***', ''), 'base64').toString('latin1')
          expect(left).not.toContain(Buffer.from(text).subarray(1, -1).toString('latin1'))
          expect(mask(whole)).toContain('***')
        }
      }
    }),
    { numRuns: 200 },
  )
})

it('hides the longer of two secrets that begin alike, and leaves short ones and other words alone', () => {
  const mask = masking(['pass', 'password', 'abc', ''])
  expect(mask('password pass abc word')).toBe('*** *** abc word')
  expect(masking([])('anything')).toBe('anything')
})
