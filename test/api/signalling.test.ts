import { describe, expect, it } from 'vitest'
import { receiver } from '../hub/running-hub.ts'
import { eventually, openRealHub, openRealTenant } from './real-hub.ts'

describe('a hub that reads another', { timeout: 90_000 }, () => {
  it('is told at once when there is more, by json and by binary', async () => {
    const sending = await openRealHub()
    const reading = await openRealHub()
    await sending.configure(receiver('people'))
    await sending.push('people', [{ _id: '1' }])
    const sources = [{ type: 'json', supports_since: true, is_chronological: true }, { type: 'binary' }]
    await reading.configure(
      { _id: 'other', type: 'system:url', url_pattern: `${sending.url}/api/%s` },
      ...sources.map((source) => ({
        _id: `by-${source.type}`,
        type: 'pipe',
        source: { ...source, system: 'other', url: 'datasets/people/entities', supports_signalling: true },
        pump: { schedule_interval: 86_400 },
      })),
    )
    reading.start()
    const each = <T>(of: (pipe: string) => T) => Promise.all(['by-json', 'by-binary'].map(of))
    const live = () => each((pipe) => reading.tenant.liveEntities(pipe))
    await eventually(live, [1, 1])
    // The pumps sleep for a day; nothing but signals can wake them.
    for (let n = 2; n <= 4; n++) {
      await eventually(() => each(async (pipe) => (await reading.pump(pipe))['is-running']), [false, false])
      await sending.push('people', [{ _id: String(n) }])
      await eventually(live, [n, n])
    }
    await eventually(() => each(async (pipe) => (await reading.pump(pipe))['last-seen']), ['3', '3'])
  })

  it('answers whoever calls it with a word that it did not give that it knows of nothing', async () => {
    const hub = await openRealTenant()
    await hub.configure(receiver('people'))
    const post = (pipe: string, token: string) =>
      hub.fetch(`/pipes/${pipe}/webhook`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token }),
      })
    for (const [pipe, token, code] of [
      ['people', 'x', 'unknown-webhook'],
      ['people', '', 'unknown-webhook'],
      ['nobody', 'x', 'unknown-pipe'],
    ] as const) {
      const answer = await post(pipe, token)
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([404, code])
    }
  })

  it('says what may be done with a dataset, and takes only addresses it may call', async () => {
    const hub = await openRealTenant()
    await hub.configure(receiver('people'))
    const options = (query: string, path = '/datasets/people/entities') =>
      hub.fetch(`${path}${query}`, { method: 'OPTIONS' })
    const plain = await options('')
    expect([plain.status, plain.headers.get('allow'), plain.headers.get('content-type')]).toEqual([
      200,
      'GET, HEAD, OPTIONS, POST',
      'text/plain; charset=utf-8',
    ])
    expect((await options('', '/pipes/people/log')).headers.get('allow')).toBe('GET, HEAD, OPTIONS')
    const hook = encodeURIComponent('http://192.0.2.1/hook')
    const inner = encodeURIComponent('http://127.0.0.1:1/hook')
    expect((await options(`?webhook=${hook}&token=t&since=4`)).status).toBe(200)
    for (const [query, path, status] of [
      [`?webhook=${hook}`, undefined, 400],
      [`?webhook=${hook}&token=`, undefined, 400],
      ['?webhook=ftp://x&token=t', undefined, 400],
      // This machine is open to the default tenant only.
      [`?webhook=${inner}&token=t`, undefined, 400],
      [`?webhook=${encodeURIComponent('http://169.254.169.254/')}&token=t`, undefined, 400],
      ['', '/datasets/nothing/entities', 404],
      ['', '/pipes/nothing/log', 404],
    ] as const) {
      expect((await options(query, path)).status, query + path).toBe(status)
    }
  })
})
