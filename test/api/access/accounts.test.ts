/** Accounts, roles, members and named tokens over the API. */

import { beforeAll, describe, expect, it } from 'vitest'
import { guardedHub } from './guarded-hub.ts'

const hub = guardedHub()
let [admin, developer] = ['', '']
beforeAll(async () => {
  admin = await hub.token(['group:Admin'])
  developer = await hub.token(['group:Developer'])
})
const ask = hub.ask

describe('accounts', () => {
  it('are made, shown without their passwords, changed and deleted', async () => {
    const made = await ask(admin, 'POST', '/api/users', {
      email: 'Kari@x.y',
      password: 'correct horse',
      roles: ['group:User'],
    })
    expect(made).toMatchObject({ status: 201, body: { email: 'kari@x.y', roles: ['group:User'], has_password: true } })
    expect(JSON.stringify(made.body)).not.toMatch(/scrypt|correct/)
    const { id } = made.body
    expect((await ask(admin, 'POST', '/api/users', { email: 'kari@x.y' })).body.code).toBe('user-exists')
    expect((await ask(admin, 'POST', '/api/users', { email: 'kari' })).body.code).toBe('bad-user')
    expect((await ask(admin, 'POST', '/api/users', { email: 'o@x.y', password: 'short' })).body.code).toBe(
      'bad-password',
    )
    expect((await ask(admin, 'POST', '/api/users', { email: 'o@x.y', roles: 'group:User' })).body.code).toBe('bad-body')
    expect((await ask(admin, 'PUT', `/api/users/${id}`, { name: 'Kari' })).body).toMatchObject({
      name: 'Kari',
      roles: ['group:User'],
    })
    expect((await ask(admin, 'PUT', '/api/members/kari@x.y', { roles: ['group:Admin'] })).body.roles).toEqual([
      'group:Admin',
    ])
    expect(await ask(admin, 'DELETE', `/api/users/${id}`)).toMatchObject({ status: 409, body: { code: 'last-admin' } })
    expect((await ask(developer, 'GET', '/api/members')).body).toEqual([
      { user_id: id, email: 'kari@x.y', roles: ['group:Admin'] },
    ])
    expect((await ask(developer, 'PUT', '/api/members/kari@x.y', { roles: [] })).status).toBe(403)
    expect((await ask(admin, 'GET', '/api/users/nobody')).status).toBe(404)
  })
})

describe('roles', () => {
  it('bring others along, and nobody makes more of themselves by them', async () => {
    const role = { name: 'editors', child_roles: ['group:User'] }
    expect((await ask(developer, 'POST', '/api/roles', role)).status).toBe(403)
    const made = await ask(admin, 'POST', '/api/roles', role)
    expect(made).toMatchObject({ status: 201, body: { id: `${hub.node.id}_editors`, child_roles: ['group:User'] } })
    expect((await ask(admin, 'POST', '/api/roles', role)).status).toBe(409)
    const editor = await hub.token(['editors'])
    expect((await ask(editor, 'GET', '/api/me')).body.roles).toContain('group:User')
    for (const children of [['group:Admin'], ['editors'], ['group:User']]) {
      const body = { child_roles: children }
      expect((await ask(developer, 'PUT', '/api/roles/editors', body)).status, String(children)).toBe(403)
    }
    expect(
      (await ask(developer, 'POST', '/api/roles', { name: 'mine', child_roles: ['group:Developer'] })).status,
    ).toBe(201)
    expect((await ask(admin, 'PUT', '/api/roles/editors', { child_roles: ['group:Admin'] })).status).toBe(200)
    expect((await ask(developer, 'DELETE', '/api/roles/editors')).status).toBe(403)
    expect((await ask(admin, 'DELETE', '/api/roles/group:Admin')).status).toBe(404)
    expect((await ask(admin, 'DELETE', '/api/roles/editors')).status).toBe(200)
    expect((await ask(editor, 'GET', '/api/me')).body.roles).toEqual(['editors', 'group:Everyone'])
  })
})

describe('named tokens', () => {
  it('are made with no more than their maker has, shown once, and theirs alone', async () => {
    const add = { name: null, tenants: null, password: null }
    const [kari, ola] = (await Promise.all(
      ['k@x.y', 'o@x.y'].map(async (email) => {
        const user = await hub.node.access.users.add({ ...add, email, roles: ['group:User'] })
        return hub.node.access.session(user)
      }),
    )) as [string, string]
    const path = '/api/api_json_web_tokens'
    expect((await ask(kari, 'POST', path, { name: 'x', roles: ['group:Admin'] })).status).toBe(403)
    const made = await ask(kari, 'POST', path, { name: 'x', roles: ['group:User'], ids: ['a'], lifetime: 60 })
    expect(made).toMatchObject({
      status: 201,
      body: { name: 'x', ids: ['a'], token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/) },
    })
    expect(Math.abs(made.body.exp - Date.now() / 1000 - 60)).toBeLessThan(30)
    const { id, token } = made.body
    expect((await ask(token, 'GET', '/api/me')).body.roles).toContain('group:User')
    expect(JSON.stringify((await ask(kari, 'GET', path)).body)).not.toContain(token)
    expect((await ask(ola, 'GET', path)).body).toEqual([])
    for (const method of ['GET', 'PUT', 'DELETE'])
      expect((await ask(ola, method, `${path}/${id}`, method === 'GET' ? undefined : {})).status).toBe(404)
    expect((await ask(token, 'DELETE', `${path}/${id}`)).status).toBe(403)
    expect((await ask(kari, 'PUT', `${path}/${id}`, { exp: null })).body.code).toBe('bad-token')
    expect((await ask(kari, 'PUT', `${path}/${id}`, { name: 'y', ids: null })).body).toMatchObject({
      name: 'y',
      ids: null,
    })
    expect((await ask(developer, 'POST', path, { name: 'of nobody' })).status).toBe(403)
    expect((await ask(kari, 'DELETE', `${path}/${id}`)).status).toBe(200)
    expect((await ask(token, 'GET', '/api/me')).status).toBe(401)
  })

  it('and sessions are revoked by name, by text, and by account', async () => {
    const revoke = (body: object) => ask(admin, 'POST', '/api/revoked_json_web_tokens', body)
    const one = await hub.token(['group:User'])
    expect((await revoke({ token: one, reason: 'lost' })).status).toBe(201)
    expect((await ask(one, 'GET', '/api/me')).status).toBe(401)
    const add = { email: 'r@x.y', name: null, roles: [], tenants: null, password: null }
    const session = await hub.node.access.session(await hub.node.access.users.add(add))
    expect((await ask(session, 'GET', '/api/me')).status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect((await revoke({ user: 'r@x.y' })).status).toBe(201)
    expect((await ask(session, 'GET', '/api/me')).status).toBe(401)
    expect((await ask(admin, 'GET', '/api/revoked_json_web_tokens')).body).toEqual([
      expect.objectContaining({ reason: 'lost' }),
    ])
    expect((await revoke({})).status).toBe(400)
  })
})
