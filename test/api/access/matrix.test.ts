/** The permission matrix: every route × every role, and × every kind of bad token, made from the table of routes. */

import { createHmac, generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import { Pool } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Guard } from '../../../src/api/limits/guard.ts'
import { defaultLimits } from '../../../src/api/limits/limits.ts'
import type { Access } from '../../../src/api/may.ts'
import type { Route } from '../../../src/api/route.ts'
import { createRoutes } from '../../../src/api/routes.ts'
import { doors } from '../../../src/hub/doors.ts'
import { silent } from '../../../src/pipes/logger.ts'
import { guardedHub } from './guarded-hub.ts'

const hub = guardedHub()

/** What nobody needs a token for: a new route that wants to be one of these must be written here, too. */
const PUBLIC = [
  'GET /api/ping',
  'GET /api/health',
  'GET /api/health/live',
  'GET /api/health/ready',
  'POST /api/jwt',
  'GET /login',
  'POST /login',
  'POST /logout',
  'GET /ontology/:id',
  // It brings a word along that nobody else knows.
  'POST /api/pipes/:id/webhook',
]

/** What leaves out by itself what may not be read. */
const OPEN = ['GET /graphql', 'POST /graphql', 'GET /graphql/schema.graphql', 'GET /id/*', 'GET /graph/*']

/** Not read by GET, and reading all the same. */
const READING = [
  'POST /api/pipes/:id/preview',
  'POST /sparql',
  'POST /api/utils/reformat-config',
  'POST /api/datasets/:id/run-dtl',
  'POST /api/datasets/:id/analyze-dtl',
  'POST /graphql',
]

const ROLES = ['group:Admin', 'group:Developer', 'group:User', 'group:Guest', 'none'] as const
type Role = (typeof ROLES)[number]

/** By action and kind of thing; written out once more, so that a slip in the program shows. */
const NEEDS: Readonly<Record<string, Access>> = {
  'read node': 'view',
  'write node': 'develop',
  'operate node': 'develop',
  'read tenant': 'read_config',
  'write tenant': 'develop',
  'operate tenant': 'develop',
  'read config': 'develop',
  'write config': 'develop',
  'operate config': 'develop',
  'read pipe': 'read_config',
  'write pipe': 'write_config',
  'operate pipe': 'run_pump_operation',
  'read system': 'read_config',
  'write system': 'write_config',
  'operate system': 'write_config',
  'read dataset': 'read_data',
  'write dataset': 'write_data',
  'operate dataset': 'write_data',
  'read graph': 'read_data',
  'write graph': 'develop',
  'operate graph': 'develop',
}

const needOf = ({ access, isOpen, action, resource }: Route): Access =>
  isOpen === true
    ? 'public'
    : (access ?? (action === 'administer' ? 'administer' : (NEEDS[`${action} ${resource}`] as Access)))

/** hub.md §24.2, where no list of permissions says anything and nothing is one's own. */
function isGiven(role: Role, route: Route): boolean {
  const need = needOf(route)
  if (need === 'public' || role === 'group:Admin') return true
  if (need === 'view' || need === 'open') return true
  if (role === 'group:Developer') return need !== 'administer' && need !== 'read_metrics'
  if (need === 'develop' || need === 'administer' || need === 'read_metrics') return false
  const kind = route.resource
  const isList =
    ['pipe', 'system', 'dataset'].includes(kind) && !route.path.includes(`:${route.resourceParameter ?? 'id'}`)
  // Lists leave out what may not be seen; users make things of their own.
  if (isList && (need === 'read_config' || need === 'read_data')) return true
  if (isList && need === 'write_config') return role === 'group:User'
  if (role === 'none') return false
  if (need === 'read_config') return kind !== 'dataset' || role === 'group:User'
  if (role === 'group:Guest') return false
  return (need === 'read_data' || need === 'write_data') && kind !== 'pipe' && kind !== 'system'
}

const nameOf = ({ method, path }: Route): string => `${method} ${path}`

/** Nothing that is there: so that what may be done does no harm. */
const pathOf = ({ path }: Route): string =>
  path.replace(':name', 'default').replace(':number', '99').replace(/:\w+/g, 'no-such').replace('*', 'x/no-such')

let routes: readonly Route[]
let pool: Pool
afterAll(() => pool.close())
const tokens = new Map<Role, string>()
beforeAll(async () => {
  const { node } = hub
  pool = new Pool(hub.url, { connections: 8 })
  routes = createRoutes({
    node,
    doors,
    queryTimeoutMs: 1_000,
    authenticates: true,
    guard: new Guard({ limits: defaultLimits, policy: () => node.network(), log: silent }),
    log: silent,
  }).routes
  for (const role of ROLES) tokens.set(role, await hub.token(role === 'none' ? [] : [role]))
  const admin = tokens.get('group:Admin') as string
  const pipe = { _id: 'p', type: 'pipe', source: { type: 'embedded', entities: [{ _id: '1' }] } }
  expect((await hub.ask(admin, 'PUT', '/api/config', [pipe])).status).toBe(200)
})

/** Thousands of requests: by the quickest client there is. */
async function ask(token: string | null, method: string, path: string) {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` }
  const answer = await pool.request({ method: method as 'GET', path, headers })
  return { status: answer.statusCode, challenge: answer.headers['www-authenticate'], text: await answer.body.text() }
}

/** A refusal for want of a permission; a route may have other reasons to say 403. */
async function isRefused(route: Route, token: string): Promise<boolean> {
  const { status, text } = await ask(token, route.method, pathOf(route))
  expect(status, nameOf(route)).not.toBe(401)
  return status === 403 && /"code":"forbidden".*"permission":/.test(text)
}

describe('the permission matrix', () => {
  it('knows what every route needs', () => {
    expect(routes.length).toBeGreaterThan(50)
    const unknown = routes.filter((route) => needOf(route) === undefined)
    expect(unknown.map(nameOf)).toEqual([])
  })

  it('has no public route but those that are known to be', () => {
    expect(
      routes
        .filter((route) => needOf(route) === 'public')
        .map(nameOf)
        .sort(),
    ).toEqual([...PUBLIC].sort())
    expect(
      routes
        .filter((route) => needOf(route) === 'open')
        .map(nameOf)
        .sort(),
    ).toEqual([...OPEN].sort())
  })

  it('has no route that changes something with a permission to read', () => {
    const reading = routes
      .filter(({ method, action }) => !['GET', 'OPTIONS'].includes(method) && action === 'read')
      .map(nameOf)
    expect(reading.filter((name) => !READING.includes(name))).toEqual([])
  })

  it.each(ROLES)('gives %s what the table says, and nothing else', async (role) => {
    const token = tokens.get(role) as string
    const wrong: string[] = []
    for (const route of routes) {
      if (needOf(route) === 'public') continue
      const isAllowed = !(await isRefused(route, token))
      if (isAllowed !== isGiven(role, route)) wrong.push(`${nameOf(route)}: ${isAllowed ? 'allowed' : 'refused'}`)
    }
    expect(wrong).toEqual([])
  })

  it('answers nobody without a token, and says what is needed', async () => {
    for (const route of routes) {
      if (needOf(route) === 'public') continue
      const { status, challenge } = await ask(null, route.method, pathOf(route))
      expect(`${nameOf(route)} ${status} ${challenge}`).toBe(`${nameOf(route)} 401 Bearer`)
    }
    for (const path of ['/api/reference', '/api/reference/json', '/nothing/here', '/t/other/api/pipes']) {
      expect((await ask(null, 'GET', path)).status, path).toBe(401)
    }
  })

  it('takes no token that is not good, on any route', async () => {
    const { access } = hub.node
    const own = {
      name: 'x',
      description: null,
      owner: null,
      roles: ['group:Admin'],
      ids: null,
      permissions: null,
      tenants: null,
    }
    const revoked = await access.tokens.create({ ...own, expires: null })
    await access.revocations.add(revoked.id, { reason: null, until: null })
    const deleted = await access.tokens.create({ ...own, expires: null })
    await access.tokens.remove(deleted.id)
    const admin = tokens.get('group:Admin') as string
    const [head = '', body = '', signature = ''] = admin.split('.')
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const claims = { roles: ['group:Admin'], exp: Math.floor(Date.now() / 1000) + 3_600 }
    const unsigned = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
    const bad = {
      expired: await access.tokenText({ ...revoked, id: 'past', expires: Date.now() - 60_000 }),
      revoked: await access.tokenText(revoked),
      deleted: await access.tokenText(deleted),
      forged: `${head}.${encode({ ...JSON.parse(Buffer.from(body, 'base64url').toString()), api_token_id: 'x' })}.${signature}`,
      'without a signature': `${head}.${body}.`,
      none: `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.`,
      'of another key': await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new Uint8Array(48)),
      'of a public key as a secret': `${unsigned}.${createHmac('sha256', pem).update(unsigned).digest('base64url')}`,
      'of a link': await access.linkText({ id: 'l', tenant: 'default', pipe: 'p', expires: Date.now() + 60_000 }),
      'that is none': 'x.y.z',
    }
    for (const route of routes) {
      const path = pathOf(route)
      const answers = await Promise.all(
        Object.entries(bad).map(async ([name, token]) => {
          const { status, challenge } = await ask(token, route.method, path)
          return `${name} ${status} ${challenge}`
        }),
      )
      expect(answers, nameOf(route)).toEqual(Object.keys(bad).map((name) => `${name} 401 Bearer error="invalid_token"`))
    }
  })
})
