import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Access, SESSION_MS } from '../../../src/hub/access/access.ts'
import { NO_LIMITS } from '../../../src/hub/access/permission.ts'
import { startFakeServer } from '../../fakes/http-server.ts'

const root = mkdtempSync(join(tmpdir(), 'samtale-jwt-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folders = 0
const folder = (): string => mkdtempSync(join(root, `${++folders}-`))

const KEY = 'k'.repeat(40)
let now = 1_800_000_000_000
const clock = () => now
const seconds = () => now / 1000
const open = (settings = {}) => new Access(folder(), 'node-1', { key: KEY, ...settings }, clock)
const own = (claims: JWTPayload, alg = 'HS256') =>
  new SignJWT(claims).setProtectedHeader({ alg }).sign(new TextEncoder().encode(KEY))
const reason = (token: string, access: Access): Promise<string> =>
  access.identify(token).then(
    () => 'accepted',
    (error: { code: string; details: { reason: string } }) => `${error.code}: ${error.details.reason}`,
  )
const given = { name: 't', description: null, owner: null, roles: ['group:User'], ...NO_LIMITS, expires: null }

describe('the key of a node', () => {
  it('is made once, for its owner only, and is another for each node', async () => {
    const data = folder()
    const access = new Access(data, 'n')
    const token = await access.tokenText(await access.tokens.create(given))
    expect(statSync(join(data, 'jwt.key')).mode & 0o777).toBe(0o600)
    expect(await reason(token, new Access(data, 'n'))).toBe('accepted')
    expect(readFileSync(join(data, 'jwt.key'), 'utf8').length).toBeGreaterThan(60)
    const other = new Access(folder(), 'n')
    expect(await reason(token, other)).toBe('invalid-token: its signature is wrong')
  })

  it('is not taken when it is short', async () => {
    const access = open({ key: 'short' })
    await expect(access.tokenText(await access.tokens.create(given))).rejects.toMatchObject({ code: 'bad-key' })
  })
})

describe('a token of the node', () => {
  it('carries an empty `principals`, three parts, and no more than it must', async () => {
    const access = open()
    const token = await access.tokens.create({ ...given, roles: ['group:Admin'] })
    const parts = (await access.tokenText(token)).split('.')
    expect(parts).toHaveLength(3)
    const claims = JSON.parse(Buffer.from(parts[1] as string, 'base64url').toString())
    expect(claims).toMatchObject({
      principals: {},
      roles: ['group:Admin'],
      api_token_id: token.id,
      user_principal: 'group:Everyone',
    })
  })

  it('has the roles that are stored, whatever its text says', async () => {
    const access = open()
    const token = await access.tokens.create(given)
    const text = await access.tokenText(token)
    expect([...(await access.identify(text)).principal.roles].sort()).toEqual(['group:Everyone', 'group:User'])
    await access.tokens.change(token.id, { roles: ['group:Guest'] })
    expect((await access.identify(text)).principal.roles.has('group:User')).toBe(false)
    await access.tokens.remove(token.id)
    expect(await reason(text, access)).toBe('invalid-token: it was deleted')
  })

  it('ends in time, with a little leeway, also when it was checked before', async () => {
    const access = open()
    const text = await access.tokenText(await access.tokens.create({ ...given, expires: now + 60_000 }))
    expect(await reason(text, access)).toBe('accepted')
    now += 60_001
    expect(await reason(text, access)).toMatch(/it has expired/)
    const claims = { exp: seconds() - 5, roles: [] }
    expect(await reason(await own(claims), access)).toBe('accepted')
    now += 6_000
    expect(await reason(await own(claims), access)).toMatch(/it has expired/)
  })

  it('holds from its time on, and does not come from the future', async () => {
    const access = open()
    const exp = seconds() + 600
    expect(await reason(await own({ exp, nbf: seconds() + 30 }), access)).toMatch(/not for now/)
    expect(await reason(await own({ exp, nbf: seconds() + 5 }), access)).toBe('accepted')
    expect(await reason(await own({ exp, iat: seconds() + 30 }), access)).toMatch(/in the future/)
    expect(await reason(await own({ roles: ['group:Admin'] }), access)).toMatch(/it does not end/)
  })

  it('takes roles from `roles` and from what `principals` says of this node', async () => {
    const access = open()
    const token = await own({ exp: seconds() + 60, roles: ['a'], principals: { 'node-1': ['b', 3], other: ['c'] } })
    const { roles } = (await access.identify(token)).principal
    expect([...roles].sort()).toEqual(['a', 'b', 'group:Everyone'])
  })

  it('gives nobody the role of strangers, and no account of another', async () => {
    const access = open()
    const user = await access.users.add({
      email: 'a@b.c',
      name: null,
      roles: ['group:Admin'],
      tenants: null,
      password: null,
    })
    const roles = ['group:Anonymous']
    const { principal } = await access.identify(await own({ exp: seconds() + 60, iss: 'x', sub: user.id, roles }))
    expect([...principal.roles]).toEqual(['group:Everyone'])
    expect(principal.userId).toBe(`x:${user.id}`)
  })
})

describe('a session', () => {
  it('follows the account: its roles, its password, its end', async () => {
    const access = open()
    const add = {
      email: 'Kari@Example.org',
      name: null,
      roles: ['group:User'],
      tenants: null,
      password: 'correct horse',
    }
    const user = await access.users.add(add)
    const text = await access.session(user)
    expect(await access.identify(text)).toMatchObject({ userId: user.id, email: 'kari@example.org' })
    await access.users.change(user.id, { roles: ['group:Admin'] })
    expect((await access.identify(text)).principal.roles.has('group:Admin')).toBe(true)
    await expect(access.users.remove(user.id)).rejects.toMatchObject({ code: 'last-admin' })
    now += 1
    await access.users.change(user.id, { password: 'another password' })
    expect(await reason(text, access)).toMatch(/it was revoked/)
    const later = await access.session(access.users.get(user.id))
    expect(await reason(later, access)).toBe('accepted')
    now += SESSION_MS + 20_000
    expect(await reason(later, access)).toMatch(/it has expired/)
  })

  it('is void when the account is gone or switched off, with its tokens', async () => {
    const access = open()
    const add = { name: null, roles: ['group:User'], tenants: null, password: null }
    const [kept, gone] = [
      await access.users.add({ email: 'a@x.y', ...add }),
      await access.users.add({ email: 'b@x.y', ...add }),
    ]
    const [session, left] = [await access.session(kept), await access.session(gone)]
    const token = await access.tokenText(await access.tokens.create({ ...given, owner: kept.id }))
    expect(await reason(token, access)).toBe('accepted')
    await access.users.remove(gone.id)
    expect(await reason(left, access)).toMatch(/no such account/)
    await access.users.change(kept.id, { isDisabled: true })
    expect(await reason(session, access)).toMatch(/disabled/)
    expect(await reason(token, access)).toMatch(/account it acts for is gone/)
  })

  it('gives a token of an account no role that the account lost', async () => {
    const access = open()
    const add = { email: 'a@x.y', name: null, roles: ['group:Developer'], tenants: ['t'], password: null }
    const user = await access.users.add(add)
    const text = await access.tokenText(
      await access.tokens.create({ ...given, owner: user.id, roles: ['group:Developer'] }),
    )
    expect((await access.identify(text)).principal.limits.tenants).toEqual(['t'])
    await access.users.change(user.id, { roles: ['group:Guest'] })
    expect([...(await access.identify(text)).principal.roles]).toEqual(['group:Everyone'])
  })
})

describe('a shareable link', () => {
  it('opens one pipe until it ends or is revoked, and is nobody', async () => {
    const access = open()
    const link = { id: 'l1', tenant: 'default', pipe: 'p', expires: Math.ceil(now / 1000) * 1000 + 60_000 }
    const text = await access.linkText(link)
    expect(await access.link(text)).toEqual(link)
    expect(await reason(text, access)).toMatch(/for one thing only/)
    await access.revocations.add('l1', { reason: null, until: link.expires })
    await expect(access.link(text)).rejects.toMatchObject({ code: 'invalid-token' })
    const token = await access.tokenText(await access.tokens.create(given))
    await expect(access.link(token)).rejects.toMatchObject({ code: 'invalid-token' })
  })
})

describe('tokens of others', () => {
  let rsa: Awaited<ReturnType<typeof generateKeyPair>>
  let ec: Awaited<ReturnType<typeof generateKeyPair>>
  let jwks: { keys: object[] }
  const claims = () => ({ sub: 'kari', iss: 'https://idp', exp: seconds() + 300, roles: ['group:User'] })
  const sign = (key: typeof rsa, head: { alg: string; kid?: string }, more = {}) =>
    new SignJWT({ ...claims(), ...more }).setProtectedHeader(head).sign(key.privateKey)
  beforeAll(async () => {
    rsa = await generateKeyPair('RS256', { extractable: true })
    ec = await generateKeyPair('ES256', { extractable: true })
    const secret = { kty: 'oct', kid: 'shared', alg: 'HS256', k: Buffer.from(KEY).toString('base64url') }
    jwks = {
      keys: [
        { ...(await exportJWK(rsa.publicKey)), kid: 'r', alg: 'RS256', use: 'sig' },
        { ...(await exportJWK(ec.publicKey)), kid: 'e' },
        secret,
      ],
    }
  })
  const file = (set: object): string => {
    const path = join(folder(), 'jwks.json')
    writeFileSync(path, JSON.stringify(set))
    return path
  }

  it('do not count unless their keys were given', async () => {
    expect(await reason(await sign(rsa, { alg: 'RS256', kid: 'r' }), open())).toMatch(/RS256 do not count here/)
  })

  it('count when they are signed with RS256 or ES256 by a key of the set', async () => {
    const access = open({ jwks: file(jwks) })
    expect(await access.identify(await sign(rsa, { alg: 'RS256', kid: 'r' }))).toMatchObject({
      userId: 'https://idp:kari',
    })
    expect(await reason(await sign(ec, { alg: 'ES256', kid: 'e' }), access)).toBe('accepted')
    const stranger = await generateKeyPair('RS256')
    expect(await reason(await sign(stranger, { alg: 'RS256', kid: 'r' }), access)).toMatch(/signature is wrong/)
    expect(await reason(await sign(stranger, { alg: 'RS256', kid: 'x' }), access)).toMatch(/key is not known/)
  })

  it('cannot pass with another algorithm than their key is for', async () => {
    const access = open({ jwks: file(jwks) })
    const [, ...rest] = (await sign(rsa, { alg: 'RS256', kid: 'r' })).split('.')
    for (const alg of ['PS256', 'RS512', 'none', 'hs256', 'EdDSA']) {
      const head = Buffer.from(JSON.stringify({ alg, kid: 'r' })).toString('base64url')
      expect(await reason([head, ...rest].join('.'), access)).toMatch(/algorithm/)
    }
    const swapped = Buffer.from('{"alg":"ES256","kid":"r"}').toString('base64url')
    expect(await reason([swapped, ...rest].join('.'), access)).toMatch(/key is not known/)
    expect(await reason(await own(claims(), 'HS512'), access)).toMatch(/algorithm/)
    // The public key, in each form it may have, as the secret of HS256.
    for (const secret of [JSON.stringify(jwks.keys[0]), (jwks.keys[0] as { n: string }).n]) {
      const token = await new SignJWT(claims())
        .setProtectedHeader({ alg: 'HS256', kid: 'r' })
        .sign(new TextEncoder().encode(secret))
      expect(await reason(token, access)).toMatch(/signature is wrong/)
    }
  })

  it('are of the issuer and for the audience that were named, and end', async () => {
    const access = open({ jwks: file(jwks), issuer: 'https://idp', audience: 'samtale' })
    const head = { alg: 'RS256', kid: 'r' }
    expect(await reason(await sign(rsa, head, { aud: 'samtale' }), access)).toBe('accepted')
    expect(await reason(await sign(rsa, head, { aud: 'other' }), access)).toMatch(/not for here/)
    expect(await reason(await sign(rsa, head, { aud: 'samtale', iss: 'x' }), access)).toMatch(/not for here/)
    expect(await reason(await sign(rsa, head, { aud: 'samtale', exp: undefined }), access)).toMatch(/not for here/)
  })

  it('by a key that is new make the set be read again, but not all the time', async () => {
    const server = await startFakeServer()
    let set: object = { keys: [jwks.keys[0]] }
    server.on('/jwks', (response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(set))
    })
    const access = open({ jwks: `${server.url}jwks` })
    expect(await reason(await sign(rsa, { alg: 'RS256', kid: 'r' }), access)).toBe('accepted')
    const asked = () => server.requests.length
    expect(asked()).toBe(1)
    for (const kid of ['e', 'x', 'y']) await reason(await sign(ec, { alg: 'ES256', kid }), access)
    expect(asked()).toBe(1)
    set = { keys: [{ ...jwks.keys[1] }] }
    now += 31_000
    expect(await reason(await sign(ec, { alg: 'ES256', kid: 'e' }), access)).toBe('accepted')
    expect(asked()).toBe(2)
    // A key that was withdrawn counts no more, even for tokens that were checked before.
    expect(await reason(await sign(rsa, { alg: 'RS256', kid: 'r' }), access)).toMatch(/key is not known/)
    await server.close()
    now += 601_000
    expect(await reason(await sign(ec, { alg: 'ES256', kid: 'e' }), access)).toBe('accepted')
  })
})
