import { describe, expect, it } from 'vitest'
import { receiver } from '../hub/running-hub.ts'
import { eventually, openRealHub } from './real-hub.ts'

describe('a hub that reads another', () => {
  it.each([{ type: 'json', supports_since: true, is_chronological: true }, { type: 'binary' }])(
    'is told at once when there is more: $type',
    async (source) => {
      const sending = await openRealHub()
      const reading = await openRealHub()
      await sending.configure(receiver('people'))
      await sending.push('people', [{ _id: '1' }])
      await reading.configure(
        { _id: 'other', type: 'system:url', url_pattern: `${sending.url}/api/%s` },
        {
          _id: 'copy',
          type: 'pipe',
          source: { ...source, system: 'other', url: 'datasets/people/entities', supports_signalling: true },
          pump: { schedule_interval: 86_400 },
        },
      )
      reading.start()
      const live = () => reading.tenant.liveEntities('copy')
      await eventually(live, 1)
      // The pump sleeps for a day; nothing but signals can wake it.
      for (let n = 2; n <= 4; n++) {
        await eventually(async () => (await reading.pump('copy'))['is-running'], false)
        await sending.push('people', [{ _id: String(n) }])
        await eventually(live, n)
      }
      expect(await reading.pump('copy')).toMatchObject({ 'last-seen': '3', 'last-outcome': 'completed' })
    },
  )

  it('answers whoever calls it with a word that it did not give that it knows of nothing', async () => {
    const hub = await openRealHub()
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
    const hub = await openRealHub()
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
    const hook = encodeURIComponent('http://127.0.0.1:1/hook')
    expect((await options(`?webhook=${hook}&token=t&since=4`)).status).toBe(200)
    for (const [query, path, status] of [
      [`?webhook=${hook}`, undefined, 400],
      [`?webhook=${hook}&token=`, undefined, 400],
      ['?webhook=ftp://x&token=t', undefined, 400],
      [`?webhook=${encodeURIComponent('http://169.254.169.254/')}&token=t`, undefined, 400],
      ['', '/datasets/nothing/entities', 404],
      ['', '/pipes/nothing/log', 404],
    ] as const) {
      expect((await options(query, path)).status, query + path).toBe(status)
    }
  })
})
