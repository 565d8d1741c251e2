import { describe, expect, it } from 'vitest'
import { HubError } from '../../../src/hub/errors.ts'
import { entries } from '../../../src/model/dict.ts'
import { serve } from '../serve.ts'

describe('receivers', () => {
  const served = serve()

  it('answer with the stored version, or with the three that a merge needs, every digit kept', async () => {
    served.tenant.addPipe('in')
    const stored = '{"_id":"a","n":12345678901234567890,"_updated":3}'
    served.tenant.receiveAnswer = () => ({ updated: stored })
    const accepted = await served.post('/api/receivers/in/entities', '[{"_id":"a"}]')
    expect(await accepted.text()).toBe(`{"updated_entity":${stored}}`)
    served.tenant.receiveAnswer = () => {
      const details = { dataset: 'in', entity: 'a', expected: 1, current: 3, input: '{"_id":"a"}', existing: stored }
      throw new HubError('stale-entity', 'It is stale.', { details, hint: 'Merge.' })
    }
    const stale = await served.post('/api/receivers/in/entities', '[{"_id":"a"}]')
    const text = await stale.text()
    expect(stale.status).toBe(409)
    expect(text).toContain(`"existing_entity":${stored}`)
    expect(JSON.parse(text)).toMatchObject({
      status: 409,
      code: 'stale-entity',
      hint: 'Merge.',
      details: { dataset: 'in', entity: 'a', expected: 1, current: 3 },
      input_entity: { _id: 'a' },
      common_ancestor_entity: null,
    })
    expect(JSON.parse(text).details).not.toHaveProperty('input')
  })

  it('hand the bytes and the parameters on, and answer an empty object', async () => {
    served.tenant.addPipe('in')
    const response = await served.post(
      '/api/receivers/in/entities?sequence_id=s&is_full=True&request_id=2&previous_request_id=1&is_first=False&is_last=true',
      '[{"_id":"a","n":1.10}]',
      { 'content-type': 'application/json', 'x-dataset-completeness': '1700000000000000' },
    )
    expect(response.status).toBe(200)
    expect(await response.text()).toBe('{}')
    expect(served.tenant.received).toEqual([
      [
        'in',
        '[{"_id":"a","n":1.10}]',
        {
          sequenceId: 's',
          isFull: true,
          requestId: '2',
          previousRequestId: '1',
          isFirst: false,
          isLast: true,
          completeness: 1_700_000_000_000_000,
        },
      ],
    ])
  })

  it('take an incremental push without any parameter', async () => {
    served.tenant.addPipe('in')
    await served.post('/api/receivers/in/entities', '[]')
    expect(served.tenant.received[0]?.[2]).toEqual({ isFull: false, isFirst: false, isLast: false })
  })

  it('pass refusals on with their status', async () => {
    served.tenant.addPipe('in')
    expect((await served.post('/api/receivers/nobody/entities', '[]')).status).toBe(404)
    expect((await served.post('/api/receivers/in/entities?is_full=true&previous_request_id=wrong', '[]')).status).toBe(
      409,
    )
    const broken = await served.post('/api/receivers/in/entities', '[{"_id":"a"}\n,{]')
    expect(broken.status).toBe(400)
    expect(await broken.json()).toMatchObject({ code: 'bad-json', details: { line: 2, column: 3 } })
    expect((await served.post('/api/receivers/in/entities?is_full=perhaps', '[]')).status).toBe(400)
    expect((await served.post('/api/receivers/in/entities', '[]', { 'x-dataset-completeness': 'soon' })).status).toBe(
      400,
    )
  })
})

describe('publishers', () => {
  const served = serve()
  const body = async function* () {
    yield '_id,name\r\n'
    yield 'a,Å\r\n'
  }

  it('stream what the pipe makes, with its headers and its file name', async () => {
    served.tenant.addPipe('out')
    served.tenant.publication = {
      contentType: 'text/csv; charset=utf-8',
      fileName: 'persons "1".csv',
      disposition: 'inline',
      headers: { 'X-Dataset-Filtered': 'true' },
      body: body(),
    }
    const response = await served.get('/api/publishers/out/csv')
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(response.headers.get('x-dataset-filtered')).toBe('true')
    expect(response.headers.get('content-disposition')).toBe(
      `inline; filename="persons _1_.csv"; filename*=UTF-8''persons%20%221%22.csv`,
    )
    expect(await response.text()).toBe('_id,name\r\na,Å\r\n')
  })

  it('let the address choose the file name', async () => {
    served.tenant.addPipe('out')
    served.tenant.publication = { contentType: 'text/csv', headers: {}, body: body() }
    const response = await served.get('/api/publishers/out/csv/r%C3%A5.csv')
    expect(response.headers.get('content-disposition')).toBe(
      `attachment; filename="r_.csv"; filename*=UTF-8''r%C3%A5.csv`,
    )
    await response.text()
  })

  it('hand every other parameter to the pipe', async () => {
    served.tenant.addPipe('out')
    await served.get('/api/publishers/out/entities?since=4&limit=2&country=NO&tag=a&tag=b&__proto__=x')
    const [{ bound, ...query }] = served.tenant.published as [(typeof served.tenant.published)[0]]
    expect(query).toEqual({ since: '4', limit: 2 })
    expect(entries(bound)).toEqual([
      ['country', 'NO'],
      ['tag', ['a', 'b']],
      ['__proto__', 'x'],
    ])
  })

  it('are 404 when no pipe publishes this', async () => {
    expect((await served.get('/api/publishers/nobody/entities')).status).toBe(404)
    served.tenant.addPipe('json-only')
    expect((await served.get('/api/publishers/json-only/csv')).status).toBe(404)
    expect((await served.get('/api/publishers/json-only/xml')).status).toBe(404)
    expect((await served.get('/api/publishers/json-only/entities?subset=x')).status).toBe(400)
  })
})
