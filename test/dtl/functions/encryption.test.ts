/** Encryption: what comes back, what is refused, and that nothing of a key is told. */

import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import * as openpgp from 'openpgp'
import { beforeAll, describe, expect, it } from 'vitest'
import { DtlError } from '../../../src/dtl/errors.ts'
import { openFernet, readFernet, sealFernet } from '../../../src/dtl/fernet.ts'
import { canonicalText } from '../../../src/model/canonical.ts'
import { dictOf, get } from '../../../src/model/dict.ts'
import { writeJson } from '../../../src/model/json.ts'
import { Bytes, Decimal, type Value } from '../../../src/model/value.ts'
import { openPgp } from '../../../src/pipes/open-pgp.ts'
import { value } from '../arbitraries.ts'
import { contextOf, memoryLookup } from '../memory-lookup.ts'
import { evaluated, problemsOf, programOf } from '../settings.ts'

const context = contextOf(memoryLookup(new Map()), dictOf({}), { openPgp })

/** The value of an expression over properties of a source. */
function given(expression: unknown, properties: Record<string, Value>): Value {
  const transform = programOf({ default: [['add', '::r', expression]] })
  const [target] = transform.apply(dictOf({ _id: '1', ...properties }), context)
  return get(target!, 'r') as Value
}

const failure = (expression: unknown, properties: Record<string, Value>): DtlError => {
  try {
    given(expression, properties)
  } catch (error) {
    if (error instanceof DtlError) return error
    throw error
  }
  throw new Error('it did not fail')
}

describe('encrypt', () => {
  it('gives back whatever it was given, types included, and never the same bytes twice', () => {
    const sealed = ['encrypt', 'password', '_S.v']
    fc.assert(
      fc.property(value, (one) => {
        const back = given(['decrypt', 'password', sealed], { v: one })
        expect(canonicalText(back)).toBe(canonicalText(one))
        expect(writeJson(back)).toBe(writeJson(one))
      }),
      { numRuns: 200 },
    )
    expect(writeJson(given(['eq', sealed, sealed], { v: 'a' }))).toBe('false')
    expect(given(['is-decimal', ['decrypt', 'password', sealed]], { v: new Decimal(15n, 1, true) })).toBe(true)
  })

  it('makes a salt and a Fernet token', () => {
    const { data } = given(['encrypt', 'password', 'hello'], {}) as Bytes
    const token = Buffer.from(data.subarray(16)).toString('latin1')
    expect(token).toMatch(/^gAAAAA[A-Za-z0-9_-]+=*$/)
    expect(readFernet(token)?.readBigUInt64BE(1)).toBe(1_700_000_000n)
  })

  it('is null for null, and makes one value of a list', () => {
    expect(given(['encrypt', 'password', null], {})).toBe(null)
    expect(given(['encrypt', 'password', ['list', 1, 2]], {})).toBeInstanceOf(Bytes)
  })

  it('needs a key, which is refused beforehand where it can be', () => {
    expect(failure(['encrypt', '_S.key', 1], {})).toMatchObject({ code: 'bad-argument' })
    expect(failure(['decrypt', '_S.key', '~bYWJj'], { key: 5 })).toMatchObject({ code: 'bad-argument' })
    expect(problemsOf({ default: [['add', 'x', ['encrypt', '', 1]]] })[0]).toMatchObject({ level: 'error' })
    expect(problemsOf({ default: [['add', 'x', ['decrypt', 5, '_S.a']]] })[0]).toMatchObject({ level: 'error' })
  })
})

describe('decrypt', () => {
  it('leaves out what was changed, sealed with another key, or is no such thing', () => {
    const { data } = given(['encrypt', 'password', 'hello'], {}) as Bytes
    const wrong = Array.from({ length: data.length }, (_, at) => {
      const bytes = Uint8Array.from(data)
      bytes[at] = (bytes[at] as number) ^ 1
      return new Bytes(bytes)
    })
    // One bit in the padding of base64 may say nothing.
    const found = given(['decrypt', 'password', '_S.v'], { v: [new Bytes(data), wrong[20]!, wrong[60]!, 'x', 1, null] })
    expect(writeJson(found)).toBe('["hello"]')
    expect(given(['decrypt', 'other', '_S.v'], { v: new Bytes(data) })).toBe(null)
    for (const short of [0, 10, 16, 17, 90])
      expect(given(['decrypt', 'password', '_S.v'], { v: new Bytes(data.subarray(0, short)) })).toBe(null)
  })

  it('derives no key for bytes that cannot be sealed ones, and ends an entity that makes it derive hundreds', () => {
    const startedAt = performance.now()
    const noise = Array.from({ length: 2_000 }, (_, at) => new Bytes(Buffer.alloc(200, at)))
    expect(writeJson(given(['decrypt', 'password', '_S.v'], { v: noise }))).toBe('[]')
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    const { data } = given(['encrypt', 'password', 'hello'], {}) as Bytes
    const salted = Array.from({ length: 200 }, (_, at) => {
      const bytes = Uint8Array.from(data)
      bytes.set([at, 7], 0)
      return new Bytes(bytes)
    })
    expect(failure(['decrypt', 'password', '_S.v'], { v: salted })).toMatchObject({ code: 'too-much-work' })
  })
})

describe('a Fernet token', () => {
  it('is that of the specification', () => {
    const key = Buffer.from('cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=', 'base64url')
    const token = 'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA=='
    const vector = Uint8Array.from({ length: 16 }, (_, at) => at)
    expect(sealFernet(key, Buffer.from('hello'), 499_162_800n, vector)).toBe(token)
    expect(openFernet(key, readFernet(token)!)?.toString()).toBe('hello')
  })
})

describe('encrypt-pki', () => {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  })
  const sealed = ['encrypt-pki', pair.publicKey, '_S.v']

  it('gives back the strings of a list', () => {
    expect(pair.privateKey).toContain('-----BEGIN RSA PRIVATE KEY-----')
    const back = ['decrypt-pki', pair.privateKey, sealed]
    expect(given(back, { v: ['a', 1, 'blåbær', null, ''] })).toEqual(['a', 'blåbær', ''])
    expect(given(back, { v: 'a' })).toBe('a')
    expect(given(['decrypt-pki', '_S.key', sealed], { v: 'a', key: pair.privateKey })).toBe('a')
  })

  it('fails an entity with too long a string', () => {
    expect((given(sealed, { v: 'x'.repeat(214) }) as Bytes).data.length).toBe(256)
    expect(failure(sealed, { v: 'x'.repeat(215) })).toMatchObject({ code: 'bad-argument', pointer: '/rules/default/0' })
  })

  it('leaves out bytes that are not for the key', () => {
    const found = given(['decrypt-pki', pair.privateKey, '_S.v'], {
      v: [new Bytes(Buffer.alloc(256)), new Bytes(Buffer.alloc(3))],
    })
    expect(found).toEqual([])
  })

  it('refuses a key that is none, and tells nothing of it', () => {
    const broken = pair.privateKey.replace('MII', 'MIX')
    const problems = problemsOf({
      default: [
        ['add', 'a', ['encrypt-pki', 'no key', '_S.a']],
        ['add', 'b', ['decrypt-pki', broken, '_S.b']],
      ],
    })
    expect(problems.map(({ pointer }) => pointer)).toEqual(['/rules/default/0/2/1', '/rules/default/1/2/1'])
    const error = failure(['decrypt-pki', '_S.key', '~bYWJj'], { key: broken })
    expect(error.code).toBe('bad-argument')
    expect(JSON.stringify([problems, error.message, error.hint, error.details])).not.toContain(broken.slice(40, 60))
    const ec = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    })
    expect(failure(['encrypt-pki', '_S.key', 'a'], { key: ec.publicKey }).message).toContain('another kind than RSA')
  })
})

describe('encrypt-pgp', () => {
  let locked: { readonly publicKey: string; readonly privateKey: string }
  beforeAll(async () => {
    locked = await openpgp.generateKey({ userIDs: [{ name: 'a' }], passphrase: 'open sesame', format: 'armored' })
  })
  const back = ['decrypt-pgp', '_S.private', '_S.phrase', ['encrypt-pgp', '_S.public', '_S.v']]
  const keys = () => ({ public: locked.publicKey, private: locked.privateKey, phrase: 'open sesame' })

  it('gives back the strings of a list, line ends included', () => {
    expect(given(back, { ...keys(), v: ['a', 5, 'blåbær\r\n\n', '', null] })).toEqual(['a', 'blåbær\r\n\n', ''])
    expect(given(['encrypt-pgp', '_S.public', 'a'], keys())).toMatch(/^-----BEGIN PGP MESSAGE-----/)
  })

  it('reads what others write', async () => {
    const message = await openpgp.encrypt({
      message: await openpgp.createMessage({ text: 'from others' }),
      encryptionKeys: await openpgp.readKey({ armoredKey: locked.publicKey }),
    })
    expect(given(['decrypt-pgp', '_S.private', '_S.phrase', '_S.v'], { ...keys(), v: message })).toBe('from others')
  })

  it('leaves out what is no message', () => {
    expect(given(['decrypt-pgp', '_S.private', '_S.phrase', '_S.v'], { ...keys(), v: ['x', 1] })).toEqual([])
  })

  it('fails an entity with a key or a passphrase that cannot be used', () => {
    expect(failure(['encrypt-pgp', '_S.public', 'a'], { public: 'no key' })).toMatchObject({ code: 'bad-argument' })
    const wrong = { ...keys(), phrase: 'wrong', v: 'a' }
    expect(failure(back, wrong)).toMatchObject({ code: 'bad-argument' })
    expect(failure(back, wrong).message).not.toContain('sesame')
    expect(failure(['decrypt-pgp', '_S.private', 5, 'a'], keys())).toMatchObject({ code: 'bad-argument' })
  })

  it('says where there is no OpenPGP, and has no place in an index', () => {
    expect(() => evaluated(['encrypt-pgp', locked.publicKey, '_S._id'])).toThrow('There is no OpenPGP')
    const hops = { datasets: ['d a'], where: ['eq', '_S.x', ['decrypt-pgp', 'k', 'p', 'a.y']] }
    expect(problemsOf({ default: [['add', 'x', ['hops', hops]]] })[0]?.message).toContain('OpenPGP')
  })
})
