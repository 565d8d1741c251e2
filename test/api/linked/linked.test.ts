import { Parser } from 'n3'
import { describe, expect, it } from 'vitest'
import { HubError } from '../../../src/hub/errors.ts'
import { parseRdf } from '../../../src/rdf/parse.ts'
import { serve } from '../serve.ts'

const BASE = 'http://hub.example'

describe('linked data', () => {
  const served = serve()
  const fill = () => {
    served.tenant.globals = ['global-person']
    served.tenant.addPipe('merge-persons', 'global-person')
    served.tenant.write(
      'global-person',
      '[{"_id":"crm:1","name":"Åse <Berg>","employer":"~:org:1","home":"~rhttps://example.com/?a=1&b=2","bad":"~rjavascript:alert(1)","$ids":["~:crm:1","~:erp:9"],"tags":["a","b"],"deep":{"x":1}}]',
    )
    served.tenant.write('crm', '[{"_id":"crm:1","name":"Aase","phone":12345678901234567890}]')
    served.tenant.write('erp', '[{"_id":"erp:9","nick":"Å"}]')
  }
  const turtle = async (path: string) => {
    const response = await served.get(path, { accept: 'text/turtle' })
    expect(response.headers.get('content-type')).toBe('text/turtle; charset=utf-8')
    return new Parser().parse(await response.text())
  }
  const has = (
    quads: { predicate: { value: string }; object: { value: string } }[],
    predicate: string,
    object: string,
  ) => quads.some((quad) => quad.predicate.value === predicate && quad.object.value === object)

  describe('of an entity', () => {
    it('puts together what all datasets say, each statement once', async () => {
      fill()
      const quads = await turtle('/id/crm/1')
      expect(has(quads, `${BASE}/ns#name`, 'Åse <Berg>')).toBe(true)
      expect(has(quads, `${BASE}/ns#name`, 'Aase')).toBe(true)
      expect(has(quads, `${BASE}/ns#employer`, `${BASE}/id/org/1`)).toBe(true)
      expect(has(quads, 'http://www.w3.org/2002/07/owl#sameAs', `${BASE}/id/crm/1`)).toBe(true)
      const lines = quads.map(({ subject, predicate, object }) => `${subject.value} ${predicate.value} ${object.value}`)
      expect(new Set(lines).size).toBe(lines.length)
    })

    it('keeps the graphs apart in the formats that have them', async () => {
      fill()
      const response = await served.get('/id/crm/1', { accept: 'application/n-quads' })
      const quads = new Parser({ format: 'N-Quads' }).parse(await response.text())
      expect(new Set(quads.map(({ graph }) => graph.value))).toEqual(
        new Set([`${BASE}/graph/global-person/crm%3A1`, `${BASE}/graph/crm/crm%3A1`]),
      )
      expect(has(quads, 'http://purl.org/dc/terms/isPartOf', `${BASE}/dataset/crm`)).toBe(true)
      expect(has(quads, 'http://www.w3.org/ns/prov#wasGeneratedBy', `${BASE}/pipe/merge-persons`)).toBe(true)
      expect(has(quads, 'http://www.w3.org/ns/prov#wasDerivedFrom', `${BASE}/dataset/crm`)).toBe(true)
      expect(has(quads, 'http://www.w3.org/ns/prov#wasDerivedFrom', `${BASE}/id/erp/9`)).toBe(true)
      expect(has(quads, 'http://www.w3.org/ns/prov#generatedAtTime', '2023-11-14T22:13:20Z')).toBe(true)
    })

    it('is the same in every format', async () => {
      fill()
      const expected = (await turtle('/id/crm/1'))
        .map(({ predicate, object }) => `${predicate.value} ${object.value}`)
        .sort()
      for (const [accept, name] of [
        ['application/ld+json', 'json-ld'],
        ['application/rdf+xml', 'rdf-xml'],
        ['application/n-triples', 'n-triples'],
      ] as const) {
        const response = await served.get('/id/crm/1', { accept })
        expect(response.headers.get('content-type')).toBe(`${accept}; charset=utf-8`)
        const found: string[] = []
        for await (const { predicate, object } of parseRdf(name, [await response.text()], BASE))
          found.push(`${predicate.value} ${object.value}`)
        expect(found.sort(), accept).toEqual(expected)
      }
    })

    it('declares the prefixes it uses, and no others', async () => {
      served.tenant.write('crm', '[{"_id":"crm:1","crm:name":"A","plain":"~:ex:thing"}]')
      const text = await (await served.get('/id/crm/1')).text()
      expect(text.match(/^@prefix (\S+):/gm)).toEqual(['@prefix ns:', '@prefix crm:', '@prefix crm-id:', '@prefix ex:'])
      expect(text).toContain('crm-id:1 crm:name "A"')
    })

    it('is found under any spelling of its path, and under the other identities of a merged one', async () => {
      served.tenant.write('d', '[{"_id":"a b:c/d","n":1},{"_id":"plain","n":2}]')
      for (const path of ['/id/a%20b/c%2Fd', '/id/%61%20b/c%2fd']) expect(await turtle(path), path).toHaveLength(1)
      expect(await turtle('/id//plain')).toHaveLength(1)
      fill()
      served.tenant.datasets.delete('erp')
      expect(has(await turtle('/id/erp/9'), `${BASE}/ns#name`, 'Åse <Berg>')).toBe(true)
    })

    it('is 404 when nothing is known', async () => {
      fill()
      for (const path of ['/id/crm/2', '/id/x', '/id/a/b/c', '/id/']) {
        expect((await served.get(path)).status, path).toBe(404)
      }
      expect((await served.get('/id/crm/1', { accept: 'image/png' })).status).toBe(406)
    })

    it('lets a link name the format', async () => {
      fill()
      const response = await served.get('/id/crm/1?format=nq', { accept: 'text/html' })
      expect(response.headers.get('content-type')).toContain('application/n-quads')
      expect((await served.get('/id/crm/1?format=docx')).status).toBe(400)
    })
  })

  describe('as a page', () => {
    const page = async (path: string) => {
      const response = await served.get(path, {
        accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
      })
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
      return { html: await response.text(), policy: response.headers.get('content-security-policy') }
    }

    it('escapes what it shows, and links to the web only', async () => {
      fill()
      const { html, policy } = await page('/id/crm/1')
      expect(html).toContain('<h1>Åse &lt;Berg&gt;</h1>')
      expect(html).not.toContain('<Berg>')
      expect(html).toContain('href="https://example.com/?a=1&amp;b=2"')
      expect(html).not.toContain('href="javascript:')
      expect(html).toContain('12345678901234567890')
      expect(html).not.toContain('<script')
      expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-/)
    })

    it('links by path, whatever the host, to other entities, datasets and formats', async () => {
      fill()
      const { html } = await page('/id/crm/1')
      expect(html).toContain('<a href="/id/org/1">org:1</a>')
      expect(html).toContain('<a href="/id/erp/9">erp:9</a>')
      expect(html).toContain('<a href="/dataset/global-person">')
      expect(html).toContain('href="/id/crm/1?format=ttl"')
      expect(html).not.toContain(`href="${BASE}`)
    })

    it('keeps the path of a tenant', async () => {
      await served.post('/api/tenants', '{"name":"acme"}')
      served.node.all.get('acme')!.write('d', '[{"_id":"a:1","to":"~:b:2"}]')
      const { html } = await page('/t/acme/id/a/1')
      expect(html).toContain('<a href="/t/acme/id/b/2">b:2</a>')
      expect(html).toContain('http://hub.example/t/acme/id/a/1')
    })

    it('shows a dataset, page by page', async () => {
      const entities = Array.from({ length: 150 }, (_, n) => ({
        _id: `d:${String(n).padStart(3, '0')}`,
        name: `No ${n}`,
      }))
      served.tenant.write('d', JSON.stringify(entities))
      const first = (await page('/dataset/d')).html
      expect(first).toContain('150 entities')
      expect(first).toContain('No 99')
      expect(first).not.toContain('No 100')
      const next = /href="([^"]*)" rel="next"/.exec(first)?.[1]?.replaceAll('&amp;', '&') as string
      const second = await (await served.get(next)).text()
      expect(second).toContain('No 149')
      expect(second).not.toContain('rel="next"')
    })
  })

  describe('of the rest', () => {
    it('gives the graph of an entity in one dataset', async () => {
      fill()
      const quads = await turtle('/graph/crm/crm%3A1')
      expect(has(quads, `${BASE}/ns#name`, 'Aase')).toBe(true)
      expect(has(quads, `${BASE}/ns#name`, 'Åse <Berg>')).toBe(false)
      expect(has(quads, 'http://purl.org/dc/terms/isPartOf', `${BASE}/dataset/crm`)).toBe(true)
      for (const path of ['/graph/erp/crm%3A1', '/graph/nothing/crm%3A1', '/graph/crm']) {
        expect((await served.get(path)).status, path).toBe(404)
      }
      expect(await (await served.get('/graph/crm/crm%3A1', { accept: 'text/html' })).text()).toContain('<h1>Aase</h1>')
    })

    it('describes datasets', async () => {
      fill()
      const quads = await turtle('/dataset/global-person')
      expect(has(quads, 'http://rdfs.org/ns/void#entities', '1')).toBe(true)
      expect(has(quads, 'http://rdfs.org/ns/void#dataDump', `${BASE}/api/datasets/global-person/export`)).toBe(true)
      expect((await served.get('/dataset/nothing')).status).toBe(404)
    })

    it('leads from pipes and runs to their documents', async () => {
      const response = await fetch(`${served.url}/pipe/a%20b`, { redirect: 'manual' })
      expect(response.status).toBe(303)
      expect(response.headers.get('location')).toBe('/api/pipes/a%20b')
      const run = await fetch(`${served.url}/run/a/7`, { redirect: 'manual' })
      expect(run.headers.get('location')).toBe('/api/pipes/a/log')
    })

    it('has no vocabulary outside its folder', async () => {
      for (const path of [
        '/ontology/nothing',
        '/ontology/..%2Fpackage',
        '/ontology/Hub',
        `/ontology/${'x'.repeat(5_000)}`,
      ]) {
        expect((await served.get(path)).status, path).toBe(404)
      }
    })
  })

  describe('in bulk', () => {
    it('exports a dataset in the format asked for', async () => {
      fill()
      for (const [accept, ending] of [
        ['text/turtle', 'ttl'],
        ['application/trig', 'trig'],
        ['application/n-quads', 'nq'],
        ['application/ld+json', 'jsonld'],
      ] as const) {
        const response = await served.get('/api/datasets/crm/export', { accept })
        expect(response.headers.get('content-type')).toBe(`${accept}; charset=utf-8`)
        expect(response.headers.get('content-disposition')).toBe(`inline; filename="crm.${ending}"`)
        expect(await response.text()).toContain('12345678901234567890')
      }
      expect((await served.get('/api/datasets/crm/export', { accept: 'text/html' })).status).toBe(406)
      expect((await served.get('/api/datasets/nothing/export')).status).toBe(404)
    })

    it('exports the tenant', async () => {
      fill()
      const text = await (await served.get('/api/export?format=nq')).text()
      expect(text.trim().split('\n')).toHaveLength(3)
    })

    it('breaks the connection when it fails in the middle', async () => {
      fill()
      const { datasetExport } = served.doors
      served.doors.datasetExport = async function* (tenant, dataset) {
        for (let n = 0; n < 2_000; n++) yield* datasetExport(tenant, dataset)
        throw new HubError('dataset-gone', 'It went away.')
      }
      try {
        const response = await served.get('/api/datasets/crm/export?format=nq')
        expect(response.status).toBe(200)
        await expect(response.text()).rejects.toThrow()
      } finally {
        served.doors.datasetExport = datasetExport
      }
    })
  })
})
