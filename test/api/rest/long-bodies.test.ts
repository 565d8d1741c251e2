import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { parseJson } from '../../../src/model/json.ts'
import { textWriter } from '../../../src/model/text-form.ts'
import { openRealTenant, type RealHub } from '../real-hub.ts'

const receiver = (more: object = {}) => ({ _id: 'in', type: 'pipe', source: { type: 'http_endpoint' }, ...more })
/** What is held of a body at most, and entities that are more than that. */
const MOST_BYTES = 200_000
const LONG = 2_000
const entity = (n: number) => ({ _id: `e${n}`, n, text: 'x'.repeat(400) })

async function* pieces(count: number, from = 0, end = ']') {
  for (let n = 0; n < count; n += 500) {
    const some = Array.from({ length: Math.min(500, count - n) }, (_, place) =>
      JSON.stringify(entity(from + n + place)),
    )
    yield Buffer.from((n === 0 ? '[' : ',') + some.join(','))
  }
  yield Buffer.from(end)
}

/** A hub with little memory for bodies, and the receiver. */
async function small(more: object = {}): Promise<RealHub> {
  const hub = await openRealTenant({ 'bulk-bytes': MOST_BYTES })
  await hub.configure(receiver(more))
  return hub
}

const post = (hub: RealHub, body: AsyncIterable<Uint8Array>, query = '', type = 'application/json') =>
  hub.fetch(`/receivers/in/entities${query}`, {
    method: 'POST',
    body: body as never,
    headers: { 'content-type': type },
    duplex: 'half',
  } as RequestInit)

describe('a long request', () => {
  it('is stored while it comes, and is answered once all of it is', async () => {
    const hub = await small()
    const answer = await post(hub, pieces(LONG))
    expect([answer.status, await answer.text()]).toEqual([200, '{}'])
    expect(hub.tenant.liveEntities('in')).toBe(LONG)
    expect(JSON.parse(hub.tenant.dataset('in') ?? '').runtime).toMatchObject({ populated: true })
  })

  it('is a request of a full sync like any other', async () => {
    const hub = await small({ transform: { type: 'dtl', rules: { default: [['copy', '*']] } } })
    await hub.push('in', [{ _id: 'gone' }])
    const sync = (id: number, more: string) => `?is_full=true&sequence_id=s&request_id=${id}${more}`
    expect((await post(hub, pieces(LONG), sync(1, '&is_first=true'))).status).toBe(200)
    expect((await post(hub, pieces(LONG, LONG), sync(2, '&previous_request_id=1&is_last=true'))).status).toBe(200)
    expect(hub.tenant.liveEntities('in')).toBe(2 * LONG)
  })

  it('that goes wrong keeps what came before, says so, and ends its full sync', async () => {
    const hub = await small()
    await hub.push('in', [{ _id: 'other' }])
    const query = '?is_full=true&sequence_id=s&request_id=1'
    const answer = await post(hub, pieces(LONG, 0, ',{"no":"id"}]'), `${query}&is_first=true&is_last=true`)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ code: 'bad-entity', hint: expect.stringMatching(/first \d+ entities/) })
    expect(hub.tenant.liveEntities('in')).toBeGreaterThan(LONG / 2)
    const next = await hub.fetch(
      '/receivers/in/entities?is_full=true&sequence_id=s&request_id=2&previous_request_id=1',
      {
        method: 'POST',
        body: '[]',
      },
    )
    expect(next.status).toBe(409)
    expect((await hub.fetch('/datasets/in/entity?entity_id=other')).status).toBe(200)
  })

  it('that is cut deletes nothing, and the next one is taken', async () => {
    const hub = await small()
    await hub.push('in', [{ _id: 'other' }])
    const { hostname, port } = new URL(hub.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    const path = `/t/${hub.tenant.name}/api/receivers/in/entities?is_full=true&sequence_id=s&request_id=1&is_first=true&is_last=true`
    socket.write(`POST ${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-length: 99000000\r\n\r\n`)
    for await (const piece of pieces(LONG)) if (!socket.write(piece)) await new Promise((r) => socket.once('drain', r))
    await expect.poll(() => hub.tenant.liveEntities('in')).toBeGreaterThan(LONG / 2)
    socket.destroy()
    expect((await post(hub, pieces(1, 7))).status).toBe(200)
    expect((await hub.fetch('/datasets/in/entity?entity_id=other')).status).toBe(200)
  })

  it('may be transit, whose codes go on through all of it', async () => {
    const hub = await small()
    const write = textWriter('transit')
    async function* transit() {
      for (let n = 0; n < LONG; n++) {
        const text = write(parseJson(JSON.stringify({ ...entity(n), of: `~:company:${n % 7}` })))
        yield Buffer.from((n === 0 ? '[' : ',') + text)
      }
      yield Buffer.from(']')
    }
    expect((await post(hub, transit(), '', 'application/transit+json')).status).toBe(200)
    expect(hub.tenant.liveEntities('in')).toBe(LONG)
    const last = await (await hub.fetch(`/datasets/in/entity?entity_id=e${LONG - 1}`)).json()
    expect(last).toMatchObject({ n: LONG - 1, of: `~:company:${(LONG - 1) % 7}` })
  })

  it('is too long for a pipe that takes requests as a whole, when it does not fit into memory', async () => {
    const hub = await small({ sink: { type: 'dataset', dataset: 'in', enable_optimistic_locking: true } })
    expect((await post(hub, pieces(50))).status).toBe(200)
    const { hostname, port } = new URL(hub.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    socket.write(
      `POST /t/${hub.tenant.name}/api/receivers/in/entities HTTP/1.1\r\nhost: ${hostname}:${port}\r\ncontent-length: 99000000\r\n\r\n`,
    )
    for await (const piece of pieces(LONG)) socket.write(piece)
    const answer = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())))
    expect(answer).toMatch(/^HTTP\/1.1 413 /)
    socket.destroy()
  })
})
