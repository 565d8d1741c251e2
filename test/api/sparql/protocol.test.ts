import { Parser } from 'n3'
import { describe, expect, it } from 'vitest'
import { HubError } from '../../../src/hub/errors.ts'
import { serve } from '../serve.ts'

const SELECT = 'SELECT * WHERE { ?s ?p ?o }'
const CONSTRUCT = 'PREFIX a: <b> CONSTRUCT WHERE { ?s ?p ?o }'

describe('/sparql', () => {
  const served = serve({ queryTimeoutMs: 30_000 })
  const asked = () => served.tenant.asked.at(-1)
  const typeFor = async (query: string, accept: string) => {
    const response = await served.get(`/sparql?query=${encodeURIComponent(query)}`, { accept })
    return response.status === 200 ? response.headers.get('content-type') : response.status
  }

  it('takes a query by GET, as a form and as the body', async () => {
    await served.get(`/sparql?query=${encodeURIComponent(SELECT)}`)
    await served.post('/sparql', new URLSearchParams({ query: SELECT }))
    await served.post('/sparql', SELECT, { 'content-type': 'application/sparql-query; charset=utf-8' })
    expect(served.tenant.asked.map(({ query }) => query)).toEqual([SELECT, SELECT, SELECT])
    expect(asked()).toEqual({ query: SELECT, accept: 'application/sparql-results+json', timeoutMs: 30_000 })
  })

  it('takes graphs and time-out with each, from the address when the body is the query', async () => {
    const graphs = { defaultGraphs: ['http://g/1', 'http://g/2'], namedGraphs: ['http://g/3'] }
    const parameters =
      'default-graph-uri=http://g/1&default-graph-uri=http://g/2&named-graph-uri=http://g/3&timeout=0.5'
    await served.get(`/sparql?query=${encodeURIComponent(SELECT)}&${parameters}`)
    expect(asked()).toMatchObject({ ...graphs, timeoutMs: 500 })
    await served.post('/sparql', new URLSearchParams(`query=${encodeURIComponent(SELECT)}&${parameters}`))
    expect(asked()).toMatchObject({ ...graphs, timeoutMs: 500 })
    await served.post(`/sparql?${parameters}`, SELECT, { 'content-type': 'application/sparql-query' })
    expect(asked()).toMatchObject({ ...graphs, timeoutMs: 500 })
  })

  it('keeps the time under its cap', async () => {
    await served.get('/sparql?query=ASK%7B%7D&timeout=3600')
    expect(asked()?.timeoutMs).toBe(30_000)
    for (const bad of ['0', '-1', 'soon'])
      expect((await served.get(`/sparql?query=ASK%7B%7D&timeout=${bad}`)).status).toBe(400)
  })

  it('writes results as the caller likes best', async () => {
    expect(await typeFor(SELECT, '*/*')).toBe('application/sparql-results+json; charset=utf-8')
    expect(await typeFor(SELECT, 'application/json')).toBe('application/sparql-results+json; charset=utf-8')
    expect(await typeFor(SELECT, 'application/sparql-results+xml;q=0.9, text/csv;q=0.4')).toContain('results+xml')
    expect(await typeFor(SELECT, 'text/csv')).toBe('text/csv; charset=utf-8')
    expect(await typeFor('ASK {}', 'text/tab-separated-values')).toContain('text/tab-separated-values')
    expect(await typeFor(SELECT, 'text/turtle')).toBe(406)
  })

  it('writes graphs as the caller likes best', async () => {
    expect(await typeFor(CONSTRUCT, '*/*')).toBe('text/turtle; charset=utf-8')
    expect(await typeFor(CONSTRUCT, 'application/rdf+xml')).toContain('application/rdf+xml')
    expect(await typeFor('DESCRIBE <x>', 'application/ld+json')).toContain('application/ld+json')
    expect(await typeFor(CONSTRUCT, 'application/n-triples, text/turtle;q=0.5')).toContain('application/n-triples')
    expect(await typeFor(CONSTRUCT, 'text/csv')).toBe(406)
  })

  it('says when rows were cut and how far the graph is behind', async () => {
    served.tenant.answer = () => ({ body: '{"results":{}}', cut: true })
    const response = await served.get(`/sparql?query=${encodeURIComponent(SELECT)}`)
    expect(response.headers.get('x-samtale-rows-cut')).toBe('true')
    expect(response.headers.get('x-samtale-rows')).toBe('2')
    expect(response.headers.get('x-samtale-graph-lag')).toBe('5')
    expect(await response.text()).toBe('{"results":{}}')
    served.tenant.answer = () => ({ body: '{}' })
    expect(
      (await served.get(`/sparql?query=${encodeURIComponent(SELECT)}`)).headers.get('x-samtale-rows-cut'),
    ).toBeNull()
  })

  it('refuses to write, in every form', async () => {
    const update = 'INSERT DATA { <a> <b> <c> }'
    const refused = [
      await served.get(`/sparql?update=${encodeURIComponent(update)}`),
      await served.get(`/sparql?query=${encodeURIComponent(update)}`),
      await served.post('/sparql', new URLSearchParams({ update })),
      await served.post('/sparql', update, { 'content-type': 'application/sparql-update' }),
      await served.post('/sparql', update, { 'content-type': 'application/sparql-query' }),
    ]
    for (const response of refused) {
      expect(response.status).toBe(403)
      expect(await response.json()).toMatchObject({ code: 'update-refused', hint: expect.stringContaining('dataset') })
    }
    expect(served.tenant.asked).toEqual([])
  })

  it('passes the refusals of the graph on', async () => {
    const failing = async (code: string, details = {}) => {
      served.tenant.sparql = () => Promise.reject(new HubError(code, 'Because.', { details }))
      return served.get('/sparql?query=ASK%7B%7D')
    }
    expect((await failing('query-invalid')).status).toBe(400)
    expect((await failing('query-timeout')).status).toBe(504)
    for (const code of ['graph-not-ready', 'graph-lost']) {
      const response = await failing(code)
      expect(response.status).toBe(503)
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    }
    const refused = await failing('query-refused', { retryAfterSeconds: 41.5 })
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('42')
  })

  it('refuses requests that are not of the protocol', async () => {
    expect((await served.post('/sparql', SELECT, { 'content-type': 'text/plain' })).status).toBe(415)
    expect((await served.post('/sparql', new URLSearchParams({}))).status).toBe(400)
    expect((await served.get('/sparql?query=ASK%7B%7D&query=ASK%7B%7D')).status).toBe(400)
  })

  it('describes itself, in Turtle that can be read, when asked nothing', async () => {
    const response = await served.get('/sparql')
    expect(response.headers.get('content-type')).toBe('text/turtle; charset=utf-8')
    const quads = new Parser().parse(await response.text())
    expect(quads.map(({ object }) => object.value)).toContain('http://www.w3.org/ns/sparql-service-description#Service')
    expect(quads.filter(({ predicate }) => predicate.value.endsWith('resultFormat'))).toHaveLength(8)
  })
})
