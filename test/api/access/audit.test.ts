import { beforeAll, describe, expect, it } from 'vitest'
import { guardedHub } from './guarded-hub.ts'

const hub = guardedHub()
let admin = ''
beforeAll(async () => {
  admin = await hub.token(['group:Admin'])
  const pipe = { _id: 'in', type: 'pipe', source: { type: 'http_endpoint' } }
  await hub.ask(admin, 'PUT', '/api/config', [pipe])
})

async function entries(): Promise<Record<string, unknown>[]> {
  await hub.node.audit.flush()
  const { status, body } = await hub.ask(admin, 'GET', '/api/datasets/system:audit/entities')
  expect(status).toBe(200)
  return body
}
/** The last that fits. */
const last = async (wanted: object) =>
  (await entries()).findLast((entry) => Object.entries(wanted).every(([name, value]) => entry[name] === value))

describe('the audit log', () => {
  it('tells who changed what, when and from where', async () => {
    const before = Date.now()
    await hub.ask(admin, 'PUT', '/api/env', { a: 1 })
    const entry = await last({ route: '/api/env' })
    expect(entry).toMatchObject({
      event: 'request',
      method: 'PUT',
      resource: 'config',
      action: 'develop',
      status: 200,
      remote_addr: '127.0.0.1',
      token_id: expect.any(String),
    })
    expect(Date.parse(entry?.time as string)).toBeGreaterThanOrEqual(before)
    await hub.ask(admin, 'PUT', '/api/permissions/pipes/in', [['allow', ['x'], ['write_data']]])
    expect(await last({ route: '/api/permissions/*' })).toMatchObject({
      action: 'administer',
      resource: 'tenant:pipes/in',
      status: 200,
    })
  })

  it('tells what was refused, and why', async () => {
    const guest = await hub.token(['group:Guest'])
    await hub.ask(guest, 'DELETE', '/api/datasets/in')
    expect(await last({ method: 'DELETE' })).toMatchObject({
      event: 'refused',
      resource: 'dataset:in',
      status: 403,
      reason: 'forbidden',
    })
    await hub.ask('a.b.c', 'GET', '/api/pipes')
    expect(await last({ reason: 'invalid-token' })).toMatchObject({ event: 'refused', status: 401, user_id: null })
    await hub.ask(null, 'GET', '/api/pipes')
    expect(await last({ reason: 'unauthorized' })).toMatchObject({ route: '/api/pipes', status: 401 })
  })

  it('tells logins and failed ones, and never a password or a token', async () => {
    const add = { email: 'kari@example.org', name: null, roles: [], tenants: null, password: 'correct horse' }
    const user = await hub.node.access.users.add(add)
    await hub.ask(null, 'POST', '/api/jwt', { email: add.email, password: 'not the right one' })
    expect(await last({ event: 'login-failed' })).toMatchObject({
      email: add.email,
      user_id: null,
      reason: 'wrong-password',
    })
    const { body: token } = await hub.ask(null, 'POST', '/api/jwt', { email: add.email, password: add.password })
    expect(await last({ event: 'login' })).toMatchObject({ email: add.email, user_id: user.id, status: 200 })
    const made = await hub.ask(admin, 'POST', '/api/api_json_web_tokens', { name: 'x', roles: [] })
    await hub.ask(admin, 'POST', '/api/users', { email: 'new@example.org', password: 'a new password' })
    await hub.ask(token, 'GET', `/api/nothing?jwt=${made.body.token}`)
    const said = JSON.stringify(await entries())
    for (const secret of [add.password, 'not the right one', 'a new password', token, made.body.token, admin]) {
      expect(said).not.toContain(secret)
    }
  })

  it('tells what happens at the pace of data once, with how often', async () => {
    for (let n = 0; n < 5; n++) await hub.ask(admin, 'POST', '/api/receivers/in/entities', [{ _id: `${n}` }])
    expect(await last({ route: '/api/receivers/:id/entities' })).toMatchObject({
      resource: 'pipe:in',
      status: 200,
      count: 5,
    })
    await hub.ask(admin, 'GET', '/api/pipes')
    expect((await entries()).some(({ method, status }) => method === 'GET' && status === 200)).toBe(false)
  })

  it('is read by administrators, and changed by nobody', async () => {
    const developer = await hub.token(['group:Developer'])
    expect((await hub.ask(developer, 'GET', '/api/datasets/system:audit/entities')).status).toBe(403)
    expect((await hub.ask(admin, 'DELETE', '/api/datasets/system:audit')).status).toBe(403)
    expect((await hub.ask(admin, 'DELETE', '/api/datasets/system:audit/entity?entity_id=x')).status).toBe(403)
    expect((await hub.ask(admin, 'POST', '/api/datasets/system:audit/entities', [])).status).toBe(403)
    expect((await entries()).length).toBeGreaterThan(5)
  })
})
