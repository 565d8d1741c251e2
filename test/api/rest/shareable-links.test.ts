import { describe, expect, it } from 'vitest'
import { openRealTenant } from '../real-hub.ts'

const publisher = {
  _id: 'out',
  type: 'pipe',
  source: { type: 'embedded', entities: [{ _id: 'a' }] },
  sink: { type: 'csv_endpoint', columns: ['_id'] },
}

describe('shareable links', () => {
  it('are made, listed without their words, opened until they are over, and taken back', async () => {
    const hub = await openRealTenant()
    await hub.configure(publisher, { ...publisher, _id: 'other' })
    const path = '/publishers/out/shareable-links'
    const make = (body: unknown) => hub.fetch(path, { method: 'POST', body: JSON.stringify(body) })
    const exp = Math.floor(Date.now() / 1_000) + 3_600
    const made = (await (await make({ exp, description: 'for the board' })).json()) as { id: string; urls: string[] }
    expect(made).toMatchObject({ exp, description: 'for the board' })
    const base = `${hub.url}/t/${hub.tenant.name}/api/publishers/out`
    expect(made.urls.map((url) => url.split('?')[0])).toEqual([`${base}/csv`, `${base}/excel`])
    const token = new URL(made.urls[0] as string).searchParams.get('jwt') as string
    expect(await (await fetch(made.urls[0] as string)).text()).toBe('_id\r\na\r\n')

    const listed = await (await hub.fetch(path)).text()
    expect(listed).not.toContain(token)
    expect(listed).toMatch(/"created_ts":\d{19}\}/)
    expect(JSON.parse(listed)).toMatchObject([{ id: made.id, exp, urls: [`${base}/csv`, `${base}/excel`] }])

    expect(hub.tenant.opensPublisher('out', made.id)).toBe(true)
    expect(hub.tenant.opensPublisher('other', made.id)).toBe(false)
    const gone = () => hub.fetch(`${path}/${made.id}`, { method: 'DELETE' })
    expect((await gone()).status).toBe(200)
    expect(hub.tenant.opensPublisher('out', made.id)).toBe(false)
    expect((await gone()).status).toBe(404)
  })

  it('last a year unless said, never backwards, and go with their pipe', async () => {
    const hub = await openRealTenant()
    await hub.configure(publisher)
    const path = '/publishers/out/shareable-links'
    const make = (body?: unknown) =>
      hub.fetch(path, { method: 'POST', ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    const made = (await (await make()).json()) as { id: string; exp: number }
    expect(made.exp).toBeGreaterThan(Date.now() / 1_000 + 364 * 86_400)
    for (const body of [{ exp: 1 }, { exp: 'soon' }, { exp: 1.5 }, { description: 1 }, []]) {
      expect([body, (await make(body)).status]).toEqual([body, 400])
    }
    expect((await hub.fetch('/publishers/nobody/shareable-links')).status).toBe(404)
    await hub.configure()
    await expect.poll(() => hub.tenant.opensPublisher('out', made.id)).toBe(false)
    await hub.configure(publisher)
    expect(hub.tenant.opensPublisher('out', made.id)).toBe(false)
  })
})
