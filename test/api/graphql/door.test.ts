import { describe, expect, it } from 'vitest'
import { serve } from '../serve.ts'

interface Item {
  readonly _id: string
  readonly name: string
  readonly tags: unknown
}

interface Connection {
  readonly nodes: readonly Item[]
  readonly edges: readonly { readonly cursor: string; readonly node: Item }[]
  readonly pageInfo: { readonly hasNextPage: boolean; readonly startCursor: string; readonly endCursor: string }
  readonly totalCount: number
}

interface Thing {
  readonly employerOf: Connection
  readonly bossOf: Connection
  readonly _idsOf: Connection
  readonly _ids: unknown
  readonly _ids_ni: unknown
  readonly _history: unknown
}

/** What the queries below ask for. */
type Answered = Record<'globalPersonList' | 'kindsList' | 'manyList', Connection> &
  Record<'globalPerson' | 'globalOrganisation' | 'erpPerson' | 'kinds' | 'd' | 'country', Thing> & {
    readonly _datasets: readonly { readonly field: string; readonly listField: string }[]
    readonly __schema: { readonly queryType: { readonly name: string } }
  }

const PERSONS = `[
  {"_id":"crm-person:1","global-person:name":"Åse Berg","age":40,"employer":"~:crm-org:1","$ids":["~:crm-person:1","~:erp-person:9"]},
  {"_id":"crm-person:2","global-person:name":"Bo Dahl","age":25,"employer":"~:crm-org:1","tags":["a","b"]},
  {"_id":"crm-person:3","global-person:name":"Cilla Ek","age":31,"employer":"~:crm-org:2","erp-person:name":"C. Ek","tags":"c"},
  {"_id":"crm-person:4","global-person:name":"Dag","employer":"~:gone:1"}
]`
const ORGANISATIONS = '[{"_id":"crm-org:1","name":"Acme","boss":"~:erp-person:9"},{"_id":"crm-org:2","name":"Beta"}]'

describe('/graphql', () => {
  const served = serve()

  const fill = () => {
    served.tenant.globals = ['global-person', 'global-organisation']
    served.tenant.addPipe('merge-persons', 'global-person')
    served.tenant.write('global-person', PERSONS)
    served.tenant.write('global-organisation', ORGANISATIONS)
  }
  const ask = async (query: string, variables: Record<string, unknown> = {}) => {
    const response = await served.post('/graphql', JSON.stringify({ query, variables }), {
      'content-type': 'application/json',
    })
    return (await response.json()) as { data: Answered; errors?: { message: string; extensions?: { code?: string } }[] }
  }
  const names = async (filter: string) => {
    const { data, errors } = await ask(`{ globalPersonList(filter: ${filter}) { nodes { name } totalCount } }`)
    expect(errors, filter).toBeUndefined()
    expect(data.globalPersonList.totalCount).toBe(data.globalPersonList.nodes.length)
    return data.globalPersonList.nodes.map(({ name }) => name.split(' ')[0]).join(' ')
  }

  describe('entities', () => {
    it('are found by id, with what the hub knows of them', async () => {
      fill()
      const { data } = await ask(
        '{ globalPerson(id: "crm-person:1") { _id _iri _dataset _pipe _updated _previous _ts _hash name age } none: globalPerson(id: "x") { _id } }',
      )
      expect(data).toEqual({
        globalPerson: {
          _id: 'crm-person:1',
          _iri: 'http://hub.example/id/crm-person/1',
          _dataset: 'global-person',
          _pipe: 'merge-persons',
          _updated: 0,
          _previous: null,
          _ts: 1_700_000_000_000_000,
          _hash: expect.stringMatching(/^[0-9a-f]{32}$/),
          name: 'Åse Berg',
          age: 40,
        },
        none: null,
      })
    })

    it('have properties of their own namespace under plain names and foreign ones with theirs', async () => {
      fill()
      const { data } = await ask('{ globalPerson(id: "crm-person:3") { name erpPerson_name } }')
      expect(data.globalPerson).toEqual({ name: 'Cilla Ek', erpPerson_name: 'C. Ek' })
    })

    it('give a list where some entity has a list', async () => {
      fill()
      const { data } = await ask('{ globalPersonList { nodes { tags } } }')
      expect(data.globalPersonList.nodes.map(({ tags }) => tags)).toEqual([null, ['a', 'b'], ['c'], null])
    })

    it('keep every kind of value exact', async () => {
      served.tenant.write(
        'kinds',
        '[{"_id":"a","big":12345678901234567890,"small":-5,"dec":"~f12.50","flo":1.0,"yes":true,"dt":"~t2015-12-31T23:59:59.123456789Z","day":"~t2015-12-31","uri":"~rhttp://x/","uuid":"~u8b3f0d5e-1111-4222-8333-444455556666","raw":"~baGVp","deep":{"a":[1,{"n":"~:x:y"}],"big":12345678901234567890},"mixed":1},{"_id":"b","mixed":"x"}]',
      )
      const { data, errors } = await ask(
        '{ kinds(id: "a") { big small dec flo yes dt day uri uuid raw deep mixed _json } }',
      )
      expect(errors).toBeUndefined()
      expect(data.kinds).toMatchObject({
        big: '12345678901234567890',
        small: -5,
        dec: '12.50',
        flo: 1,
        yes: true,
        dt: '2015-12-31T23:59:59.123456789Z',
        day: '2015-12-31',
        uri: 'http://x/',
        uuid: '8b3f0d5e-1111-4222-8333-444455556666',
        raw: 'aGVp',
        deep: { a: [1, { n: '~:x:y' }], big: '12345678901234567890' },
        mixed: 1,
        _json: { _id: 'a', dec: '~f12.50' },
      })
    })

    it('tell their history', async () => {
      served.tenant.write('d', '[{"_id":"a","v":1},{"_id":"b"},{"_id":"a","v":2},{"_id":"a","v":3}]')
      const { data } = await ask('{ d(id: "a") { _history(first: 2) } }')
      expect(data.d._history).toMatchObject([{ v: 3 }, { v: 2 }])
    })

    it('are found in any dataset, global ones first', async () => {
      fill()
      served.tenant.write('crm-person', '[{"_id":"crm-person:1"},{"_id":"crm-person:77","extra":1}]')
      const { data } = await ask(
        '{ a: _entity(id: "crm-person:1") { _dataset ... on GlobalPerson { name } } b: _entity(id: "crm-person:77") { _dataset } c: _entity(id: "x") { _id } }',
      )
      expect(data).toEqual({
        a: { _dataset: 'global-person', name: 'Åse Berg' },
        b: { _dataset: 'crm-person' },
        c: null,
      })
    })
  })

  describe('relations', () => {
    it('lead to the dataset that holds the identifier, and keep its text', async () => {
      fill()
      const { data } = await ask(
        '{ globalPersonList { nodes { employer { ... on GlobalOrganisation { name } } employer_ni } } }',
      )
      expect(data.globalPersonList.nodes).toEqual([
        { employer: { name: 'Acme' }, employer_ni: 'crm-org:1' },
        { employer: { name: 'Acme' }, employer_ni: 'crm-org:1' },
        { employer: { name: 'Beta' }, employer_ni: 'crm-org:2' },
        { employer: null, employer_ni: 'gone:1' },
      ])
    })

    it('find a merged entity by any of its identities', async () => {
      fill()
      const { data } = await ask('{ globalOrganisation(id: "crm-org:1") { boss { name } boss_ni } }')
      expect(data.globalOrganisation).toEqual({ boss: { name: 'Åse Berg' }, boss_ni: 'erp-person:9' })
    })

    it('go back, page by page', async () => {
      fill()
      const first = await ask(
        '{ globalOrganisation(id: "crm-org:1") { employerOf(first: 1) { totalCount nodes { name } pageInfo { hasNextPage endCursor } } } }',
      )
      const { employerOf } = first.data.globalOrganisation
      expect(employerOf).toMatchObject({
        totalCount: 2,
        nodes: [{ name: 'Åse Berg' }],
        pageInfo: { hasNextPage: true },
      })
      const next = await ask(
        'query ($after: String) { globalOrganisation(id: "crm-org:1") { employerOf(first: 5, after: $after) { nodes { name } pageInfo { hasNextPage hasPreviousPage } } } }',
        { after: employerOf.pageInfo.endCursor },
      )
      expect(next.data.globalOrganisation.employerOf).toEqual({
        nodes: [{ name: 'Bo Dahl' }],
        pageInfo: { hasNextPage: false, hasPreviousPage: true },
      })
    })

    it('go back from any identity of a merged entity', async () => {
      fill()
      const { data } = await ask('{ globalPerson(id: "crm-person:1") { bossOf { nodes { name } } } }')
      expect(data.globalPerson.bossOf.nodes).toEqual([{ name: 'Acme' }])
    })

    it('lead from a merged entity to the records it was made from, and back', async () => {
      fill()
      served.tenant.write('erp-person', '[{"_id":"erp-person:9","nick":"Å"}]')
      const { data } = await ask(
        '{ globalPerson(id: "crm-person:1") { _ids_ni _ids { _dataset _id } } erpPerson(id: "erp-person:9") { _idsOf { nodes { name } } } }',
      )
      expect(data.globalPerson._ids_ni).toEqual(['crm-person:1', 'erp-person:9'])
      expect(data.globalPerson._ids).toEqual([null, { _dataset: 'erp-person', _id: 'erp-person:9' }])
      expect(data.erpPerson._idsOf.nodes).toEqual([{ name: 'Åse Berg' }])
    })

    it('name the dataset they come from when two would have the same name', async () => {
      served.tenant.globals = ['a', 'b']
      served.tenant.write('a', '[{"_id":"a:1","country":"~:country:no"}]')
      served.tenant.write('b', '[{"_id":"b:1","country":"~:country:no"}]')
      served.tenant.write('c', '[{"_id":"c:1","land":"~:country:no"}]')
      served.tenant.write('country', '[{"_id":"country:no"}]')
      const { data, errors } = await ask(
        '{ country(id: "country:no") { countryOfA { nodes { _id } } countryOfB { totalCount } landOfC { nodes { _id } } } }',
      )
      expect(errors).toBeUndefined()
      expect(data.country).toEqual({
        countryOfA: { nodes: [{ _id: 'a:1' }] },
        countryOfB: { totalCount: 1 },
        landOfC: { nodes: [{ _id: 'c:1' }] },
      })
    })

    it('look nothing up twice in one request', async () => {
      fill()
      served.doors.lookups = 0
      await ask('{ globalOrganisationList { nodes { boss { name } b: boss { age } } } }')
      expect(served.doors.lookups).toBe(1)
    })
  })

  describe('lists', () => {
    it('are walked by cursor to their end', async () => {
      fill()
      const seen: string[] = []
      let after: string | null = null
      for (let pages = 0; ; pages++) {
        const { data } = await ask(
          'query ($after: String) { globalPersonList(first: 3, after: $after) { edges { cursor node { _id } } pageInfo { hasNextPage startCursor endCursor } totalCount } }',
          { after },
        )
        const { edges, pageInfo, totalCount } = data.globalPersonList
        expect(totalCount).toBe(4)
        expect(pageInfo.startCursor).toBe(edges[0]?.cursor)
        expect(pageInfo.endCursor).toBe(edges.at(-1)?.cursor)
        seen.push(...edges.map(({ node }) => node._id))
        after = pageInfo.endCursor
        if (!pageInfo.hasNextPage) break
        expect(pages).toBeLessThan(3)
      }
      expect(seen).toEqual(['crm-person:1', 'crm-person:2', 'crm-person:3', 'crm-person:4'])
    })

    it('filter by every operator', async () => {
      fill()
      expect(await names('{ name: { eq: "Dag" } }')).toBe('Dag')
      expect(await names('{ name: { ne: "Dag" } }')).toBe('Åse Bo Cilla')
      expect(await names('{ name: { in: ["Dag", "Bo Dahl"] } }')).toBe('Bo Dag')
      expect(await names('{ name: { contains: "Da" } }')).toBe('Bo Dag')
      expect(await names('{ name: { startsWith: "C" } }')).toBe('Cilla')
      expect(await names('{ age: { gt: 25 } }')).toBe('Åse Cilla')
      expect(await names('{ age: { gte: 25, lt: 40 } }')).toBe('Bo Cilla')
      expect(await names('{ age: { lte: 31 } }')).toBe('Bo Cilla')
      expect(await names('{ age: { exists: false } }')).toBe('Dag')
      expect(await names('{ age: { eq: null } }')).toBe('Dag')
      expect(await names('{ age: { ne: null } }')).toBe('Åse Bo Cilla')
      expect(await names('{ _id: { eq: "crm-person:2" } }')).toBe('Bo')
    })

    it('filter lists by their elements and identifiers by their text', async () => {
      fill()
      expect(await names('{ tags: { eq: "b" } }')).toBe('Bo')
      expect(await names('{ tags: { ne: "b" } }')).toBe('Åse Cilla Dag')
      expect(await names('{ employer_ni: { eq: "crm-org:1" } }')).toBe('Åse Bo')
      expect(await names('{ employer_ni: { eq: "~:crm-org:2" } }')).toBe('Cilla')
      expect(await names('{ employer_ni: { startsWith: "crm-org:" } }')).toBe('Åse Bo Cilla')
    })

    it('combine filters', async () => {
      fill()
      expect(await names('{ age: { gt: 25 }, name: { contains: "Ek" } }')).toBe('Cilla')
      expect(await names('{ or: [{ age: { gt: 35 } }, { name: { eq: "Dag" } }] }')).toBe('Åse Dag')
      expect(await names('{ not: { or: [{ age: { gt: 35 } }, { name: { eq: "Dag" } }] } }')).toBe('Bo Cilla')
      expect(await names('{ and: [{ age: { gt: 20 } }, { age: { lt: 30 } }] }')).toBe('Bo')
      expect(await names('{}')).toBe('Åse Bo Cilla Dag')
    })

    it('filter by exact values of each kind', async () => {
      served.tenant.write(
        'kinds',
        '[{"_id":"a","big":12345678901234567890,"dec":"~f12.50","dt":"~t2015-12-31T23:59:59Z","mixed":5},{"_id":"b","big":12345678901234567891,"dec":"~f12.5001","dt":"~t2016-01-01T00:00:00Z","mixed":"5"}]',
      )
      for (const filter of [
        '{ big: { eq: 12345678901234567890 } }',
        '{ big: { lt: "12345678901234567891" } }',
        '{ dec: { eq: "12.5" } }',
        '{ dt: { lt: "2016-01-01" } }',
        '{ mixed: { eq: 5 } }',
        '{ mixed: { gt: 4 } }',
      ]) {
        const { data, errors } = await ask(`{ kindsList(filter: ${filter}) { nodes { _id } } }`)
        expect(errors, filter).toBeUndefined()
        expect(data.kindsList.nodes, filter).toEqual([{ _id: 'a' }])
      }
      expect((await ask('{ kindsList(filter: { dt: { eq: "yesterday" } }) { totalCount } }')).errors).toHaveLength(1)
    })

    it('page through what a filter leaves', async () => {
      served.tenant.write(
        'many',
        JSON.stringify(Array.from({ length: 1_000 }, (_, n) => ({ _id: `n${String(n).padStart(4, '0')}`, n }))),
      )
      const page = async (after: string | null) => {
        const { data } = await ask(
          'query ($after: String) { manyList(first: 2, after: $after, filter: { n: { gte: 700, lt: 705 } }) { nodes { n } pageInfo { hasNextPage endCursor } totalCount } }',
          { after },
        )
        return data.manyList
      }
      const first = await page(null)
      expect(first).toMatchObject({ nodes: [{ n: 700 }, { n: 701 }], totalCount: 5, pageInfo: { hasNextPage: true } })
      const second = await page(first.pageInfo.endCursor)
      const third = await page(second.pageInfo.endCursor)
      expect(third).toMatchObject({ nodes: [{ n: 704 }], pageInfo: { hasNextPage: false } })
    })

    it('refuse cursors and pages that make no sense', async () => {
      fill()
      for (const argument of ['first: -1', 'first: 1001', 'after: "%%"']) {
        const { errors } = await ask(`{ globalPersonList(${argument}) { totalCount } }`)
        expect(errors?.[0]?.extensions?.code, argument).toBe('bad-parameter')
      }
    })
  })

  describe('the schema', () => {
    it('follows the data: a query for what just came finds it', async () => {
      fill()
      expect((await ask('{ _datasets { id } }')).data._datasets).toHaveLength(2)
      served.tenant.write('brand-new', '[{"_id":"x","colour":"red"}]')
      expect((await ask('{ brandNew(id: "x") { colour } }')).data).toEqual({ brandNew: { colour: 'red' } })
      served.tenant.write('brand-new', '[{"_id":"y","size":3}]')
      expect((await ask('{ brandNew(id: "y") { size } }')).data).toEqual({ brandNew: { size: 3 } })
    })

    it('leaves the datasets of the hub itself out, and works without any', async () => {
      served.tenant.write('system:config', '[{"_id":"x"}]')
      expect((await ask('{ _datasets { id } }')).data).toEqual({ _datasets: [] })
    })

    it('says what there is', async () => {
      fill()
      const { data } = await ask('{ _datasets { id isGlobal pipe type field listField count } }')
      expect(data._datasets[0]).toEqual({
        id: 'global-person',
        isGlobal: true,
        pipe: 'merge-persons',
        type: 'GlobalPerson',
        field: 'globalPerson',
        listField: 'globalPersonList',
        count: 4,
      })
      const text = await (await served.get('/graphql/schema.graphql')).text()
      expect(text).toContain('type GlobalPerson implements Entity')
    })

    it('is each tenant’s own', async () => {
      fill()
      await served.post('/api/tenants', '{"name":"acme"}')
      const response = await served.post('/t/acme/graphql', '{"query":"{ globalPersonList { totalCount } }"}', {
        'content-type': 'application/json',
      })
      expect(await response.json()).toMatchObject({
        errors: [{ message: expect.stringContaining('globalPersonList') }],
      })
    })

    it('survives names that fight over one another', async () => {
      served.tenant.write('person', '[{"_id":"1","a-b":1,"a b":2,"and":3,"_x":4,"$id":5,"a_ni":"~:p:1"}]')
      served.tenant.write('Person', '[{"_id":"1"}]')
      served.tenant.write('person-list', '[{"_id":"1"}]')
      served.tenant.write('query', '[{"_id":"1"}]')
      served.tenant.write('æøå 漢字', '[{"_id":"1"}]')
      const { data, errors } = await ask('{ _datasets { field listField type } __schema { types { name } } }')
      expect(errors).toBeUndefined()
      const fields = data._datasets.flatMap(({ field, listField }) => [field, listField])
      expect(new Set(fields).size).toBe(10)
    })
  })

  describe('requests', () => {
    it('come by GET, as JSON and as a form', async () => {
      fill()
      const query = '{ _datasets { id } }'
      const expected = { data: { _datasets: [{ id: 'global-person' }, { id: 'global-organisation' }] } }
      expect(await (await served.get(`/graphql?query=${encodeURIComponent(query)}`)).json()).toEqual(expected)
      expect(await (await served.post('/graphql', new URLSearchParams({ query }))).json()).toEqual(expected)
      const operations = {
        query: 'query A { a: __typename } query B($n: Int) { b: globalPersonList(first: $n) { nodes { _id } } }',
        operationName: 'B',
        variables: { n: 1 },
      }
      const response = await served.post('/graphql', JSON.stringify(operations), { 'content-type': 'application/json' })
      expect(await response.json()).toEqual({ data: { b: { nodes: [{ _id: 'crm-person:1' }] } } })
    })

    it('are refused when they are not GraphQL', async () => {
      expect((await ask('{ nonsense')).errors?.[0]?.message).toContain('Syntax Error')
      expect((await served.post('/graphql', 'x', { 'content-type': 'application/json' })).status).toBe(400)
      const image = await served.post('/graphql', 'x', { 'content-type': 'image/png' })
      expect([image.status, ((await image.json()) as { code: string }).code]).toEqual([415, 'unsupported-media-type'])
      const variables = await served.get('/graphql?query=%7B__typename%7D&variables=%7B')
      expect([variables.status, ((await variables.json()) as { code: string }).code]).toEqual([400, 'bad-parameter'])
      const empty = await served.get('/graphql', { accept: 'application/json' })
      expect(await empty.json()).toMatchObject({ errors: [{ message: 'Must provide query string.' }] })
    })

    it('get a page in a browser that reaches no other host', async () => {
      const response = await served.get('/graphql', { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' })
      expect(response.headers.get('content-type')).toContain('text/html')
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(await response.text()).not.toMatch(/https?:\/\//)
    })

    it('hide what an unexpected error says and show what the hub says', async () => {
      fill()
      served.tenant.naming = () => {
        throw new Error('secret of the inside')
      }
      const { data, errors } = await ask('{ globalPerson(id: "crm-person:1") { name _iri } }')
      expect(data.globalPerson).toBeNull()
      expect(JSON.stringify(errors)).not.toContain('secret')
      expect(errors?.[0]).toMatchObject({ extensions: { code: 'unexpected' }, path: ['globalPerson', '_iri'] })
    })
  })

  describe('limits', () => {
    const refused = async (query: string) => (await ask(query)).errors?.[0]?.extensions?.code

    it('stop what is too deep, too wide or too costly before it runs', async () => {
      fill()
      const round = (depth: number): string =>
        depth === 0 ? '_id' : `boss { bossOf(first: 1) { nodes { ${round(depth - 1)} } } }`
      served.doors.lookups = 0
      expect(await refused(`{ globalOrganisation(id: "crm-org:1") { ${round(6)} } }`)).toBe('query-too-deep')
      expect(await refused(`{ ${Array.from({ length: 101 }, (_, n) => `a${n}: __typename`).join(' ')} }`)).toBe(
        'too-many-aliases',
      )
      const costly = '{ globalOrganisationList(first: 1000) { nodes { employerOf(first: 1000) { nodes { name } } } } }'
      expect(await refused(costly)).toBe('query-too-costly')
      expect(served.doors.lookups).toBe(0)
    })

    it('count variables, defaults and fragments', async () => {
      fill()
      const query =
        'query ($n: Int) { globalOrganisationList(first: $n) { nodes { ...f } } } fragment f on GlobalOrganisation { employerOf(first: $n) { nodes { name } } }'
      expect((await ask(query, { n: 2 })).errors).toBeUndefined()
      expect((await ask(query, { n: 900 })).errors?.[0]?.extensions?.code).toBe('query-too-costly')
    })

    it('stop fragments that multiply, in no time', async () => {
      fill()
      const fragments = Array.from(
        { length: 40 },
        (_, n) => `fragment f${n} on Query { ...f${n + 1} _datasets { id } ...f${n + 1} }`,
      )
      const started = Date.now()
      const { errors } = await ask(`{ ...f0 } ${fragments.join(' ')} fragment f40 on Query { __typename }`)
      expect(errors?.[0]?.extensions?.code).toBe('query-too-costly')
      expect(Date.now() - started).toBeLessThan(2_000)
    })

    it('stop texts that are all tokens', async () => {
      const { errors } = await ask(`{ ${'__typename '.repeat(3_000)} }`)
      expect(errors?.[0]?.message).toContain('token')
    })

    it('let the whole schema be asked for', async () => {
      fill()
      const { getIntrospectionQuery } = await import('graphql')
      const { data, errors } = await ask(getIntrospectionQuery())
      expect(errors).toBeUndefined()
      expect(data.__schema.queryType.name).toBe('Query')
    })
  })
})
