import { request } from 'node:http'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Reason } from '../../../src/hub/health/reason.ts'
import { FakeTenant } from '../fake-hub.ts'
import { serve } from '../serve.ts'

const reason = (some: Partial<Reason>): Reason => ({
  code: 'disk-low',
  severity: 'unwell',
  message: 'The disk of /srv/data is low.',
  hint: 'Make room.',
  tenant: null,
  ...some,
})

describe('health', () => {
  const served = serve()
  beforeEach(() => {
    served.node.reasons.splice(0)
  })

  const statuses = async (prefix = '') =>
    Promise.all(['', '/live', '/ready'].map(async (part) => (await served.get(`${prefix}/api/health${part}`)).status))

  it('is 200 everywhere when nobody has to look', async () => {
    expect(await statuses()).toEqual([200, 200, 200])
    expect(await (await served.get('/api/health')).json()).toEqual({
      status: 'healthy',
      live: true,
      ready: true,
      reasons: [],
    })
  })

  it('tells what has to be looked at from what keeps requests away, and from what only a restart mends', async () => {
    served.node.reasons.push(reason({}))
    expect(await statuses()).toEqual([503, 200, 200])
    served.node.reasons.push(reason({ code: 'graph-not-ready', severity: 'not-ready' }))
    expect(await statuses()).toEqual([503, 200, 503])
    served.node.reasons.push(reason({ code: 'writer-stuck', severity: 'dead' }))
    expect(await statuses()).toEqual([503, 503, 503])
    const body = await (await served.get('/api/health')).json()
    expect(body).toMatchObject({ status: 'unhealthy', live: false, ready: false })
    expect(body).toMatchObject({
      reasons: [{ code: 'disk-low', message: 'The disk of /srv/data is low.', hint: 'Make room.' }, {}, {}],
    })
  })

  it('speaks below a tenant only of that tenant and of the node', async () => {
    served.node.all.set('other', new FakeTenant('other'))
    served.node.reasons.push(reason({ code: 'backup-trouble', tenant: 'other' }))
    expect(await statuses('/t/other')).toEqual([503, 200, 200])
    expect(await statuses('/t/default')).toEqual([200, 200, 200])
    expect(await statuses()).toEqual([503, 200, 200])
  })

  it('tells strangers the names of what is the matter and nothing else', async () => {
    served.node.reasons.push(reason({}), reason({ tenant: 'a' }), reason({ code: 'backup-trouble', tenant: 'b' }))
    const { status, body } = await asStranger('/api/health')
    expect(status).toBe(503)
    expect(JSON.parse(body)).toEqual({
      status: 'unhealthy',
      live: true,
      ready: true,
      reasons: [
        { code: 'disk-low', severity: 'unwell' },
        { code: 'backup-trouble', severity: 'unwell' },
      ],
    })
    expect((await asStranger('/api/health/live')).status).toBe(200)
    expect((await asStranger('/api/ping')).status).toBe(200)
    expect((await asStranger('/api/status')).status).toBe(403)
  })

  /** As a page of another site would ask. */
  function asStranger(path: string): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const asked = request(`${served.url}${path}`, { headers: { host: 'stranger.example' } }, (answer) => {
        let body = ''
        answer.setEncoding('utf8').on('data', (text: string) => {
          body += text
        })
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body }))
      })
      asked.on('error', reject).end()
    })
  }
})
