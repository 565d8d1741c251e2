import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { GraphQuery } from '../../src/graph/contract.ts'
import { GraphError } from '../../src/graph/errors.ts'
import { answerQuery } from '../../src/graph/query.ts'
import { readQuery } from '../../src/graph/query-text.ts'
import { cutRows } from '../../src/graph/results.ts'
import { GraphStore } from '../../src/graph/store.ts'
import { createNaming } from '../../src/model/iri.ts'
import { BASE } from './sample.ts'

const naming = createNaming({ base: BASE })
const graph = new GraphStore(() => true)

const JSON_RESULTS = 'application/sparql-results+json'

function ask(query: string, rest: Partial<GraphQuery> = {}) {
  return answerQuery(graph, naming, { query, accept: JSON_RESULTS, timeoutMs: 1_000, maxRows: 100, ...rest })
}

function refusal(query: string, rest: Partial<GraphQuery> = {}): GraphError {
  try {
    ask(query, rest)
  } catch (error) {
    expect(error).toBeInstanceOf(GraphError)
    return error as GraphError
  }
  return expect.fail('it was answered')
}

const bindings = (body: string): Record<string, { value: string }>[] => JSON.parse(body).results.bindings

beforeAll(() => {
  const texts = ['one', 'two "quoted", with comma', 'three\nlines\r\n}},{"', '<result>four & more</result>']
  texts.forEach((text, i) => {
    const entity = `<${BASE}/graph/${i < 2 ? 'a' : 'b'}/${i}>`
    graph.apply([
      {
        graph: entity.slice(1, -1),
        isGlobal: i !== 3,
        isNew: true,
        text: {
          statements: [`<${BASE}/id/x/${i}> <${BASE}/ns#name> ${JSON.stringify(text)}`],
          about: [`${entity} <http://purl.org/dc/terms/isPartOf> <${BASE}/dataset/${i < 2 ? 'a' : 'b'}>`],
        },
      },
    ])
  })
})

describe('a SELECT', () => {
  const names = `SELECT ?s ?n { ?s <${BASE}/ns#name> ?n } ORDER BY ?s`

  it('answers in four formats', () => {
    expect(bindings(ask(names).body)[0]).toEqual({
      s: { type: 'uri', value: `${BASE}/id/x/0` },
      n: { type: 'literal', value: 'one' },
    })
    expect(ask(names, { accept: 'application/sparql-results+xml' }).body).toContain('<result><binding name="s"><uri>')
    expect(ask(names, { accept: 'text/csv' }).body).toMatch(/^s,n\r\nhttp:\/\/hub\.example\/id\/x\/0,one\r\n/)
    expect(ask(names, { accept: 'text/tab-separated-values' }).body).toMatch(
      /^\?s\t\?n\n<http:\/\/hub\.example\/id\/x\/0>\t"one"\n/,
    )
    expect(ask('ASK {}', { accept: 'text/csv' }).body).toBe('true')
  })

  for (const accept of [JSON_RESULTS, 'application/sparql-results+xml', 'text/csv', 'text/tab-separated-values']) {
    it(`is cut after the rows it may have, and says so, as ${accept}`, () => {
      for (const maxRows of [0, 1, 2]) {
        const answer = ask(names, { accept, maxRows })
        expect(answer).toMatchObject({ cut: true, rows: maxRows, contentType: accept })
        expect(answer.body).toBe(ask(`${names} LIMIT ${maxRows}`, { accept }).body)
      }
      expect(ask(names, { accept, maxRows: 3 })).toMatchObject({ cut: false, rows: 3 })
    })
  }

  it('keeps a LIMIT of its own', () => {
    expect(ask(`${names} LIMIT 2`, { maxRows: 2 })).toMatchObject({ cut: false, rows: 2 })
    expect(ask(`${names} OFFSET 1 LIMIT 3`, { maxRows: 1 })).toMatchObject({ cut: true, rows: 1 })
    expect(ask(`${names} LIMIT 3 OFFSET 2`, { maxRows: 1 })).toMatchObject({ cut: false, rows: 1 })
  })

  it('is bounded without a change of meaning', () => {
    const limited = (query: string) => readQuery(query).limited(7)
    expect(limited('SELECT * {} # no end')).toBe('SELECT * {} # no end\nLIMIT 7')
    expect(limited('SELECT * {} VALUES ?x {1}')).toBe('SELECT * {} LIMIT 7\nVALUES ?x {1}')
    expect(limited('SELECT * { {SELECT * {} LIMIT 100} "LIMIT 9" <http://LIMIT/9> } limit 50')).toBe(
      'SELECT * { {SELECT * {} LIMIT 100} "LIMIT 9" <http://LIMIT/9> } limit 7',
    )
    expect(limited('PREFIX l: <http://l/> SELECT ?limit { ?limit l:LIMIT """LIMIT "9""" }\n#LIMIT 9')).toMatch(
      /\nLIMIT 7$/,
    )
    expect(limited('SELECT * { FILTER(?a < 3 && ?b > 4) } GROUP BY (?a AS ?LIMIT)')).toMatch(/\nLIMIT 7$/)
  })
})

describe('a CONSTRUCT', () => {
  const query = `CONSTRUCT { ?s ?p ?o } { ?s ?p ?o FILTER(?o = "one") }`

  it('answers in the formats of graphs', () => {
    expect(ask(query, { accept: 'application/n-triples' })).toMatchObject({
      body: `<${BASE}/id/x/0> <${BASE}/ns#name> "one" .\n`,
      contentType: 'application/n-triples',
      rows: null,
    })
    expect(ask(`PREFIX ns: <${BASE}/ns#> ${query}`, { accept: 'text/turtle' }).body).toBe(
      `@prefix ns: <${BASE}/ns#>.\n\n<${BASE}/id/x/0> ns:name "one" .\n`,
    )
    expect(JSON.parse(ask(query, { accept: 'application/ld+json' }).body)).toHaveLength(1)
    expect(ask(query, { accept: 'application/rdf+xml' }).body).toContain('rdf:Description')
    expect(ask(query, { accept: '*/*' }).contentType).toBe('text/turtle')
  })

  it('is not written as a table, nor a SELECT as a graph', () => {
    expect(refusal(query, { accept: 'text/csv' }).code).toBe('not-acceptable')
    expect(refusal('SELECT * {}', { accept: 'text/turtle' }).code).toBe('not-acceptable')
  })
})

describe('the graphs of a query', () => {
  const all = 'SELECT ?g ?n { GRAPH ?g { ?s <http://hub.example/ns#name> ?n } }'
  const merged = 'SELECT ?n { ?s <http://hub.example/ns#name> ?n }'
  const count = (query: string, rest: Partial<GraphQuery> = {}) => ask(query, rest).rows

  it('are named by their IRIs or by their dataset', () => {
    expect(count(all)).toBe(4)
    expect(count(all, { namedGraphs: [`${BASE}/graph/a/0`] })).toBe(1)
    expect(count(all, { namedGraphs: [`${BASE}/dataset/a`, `${BASE}/graph/b/3`] })).toBe(3)
    expect(count(merged)).toBe(3)
    expect(count(merged, { defaultGraphs: [`${BASE}/dataset/b`] })).toBe(2)
    expect(count(all, { defaultGraphs: [`${BASE}/dataset/b`] })).toBe(0)
    expect(count(merged, { namedGraphs: [`${BASE}/dataset/b`] })).toBe(0)
    expect(refusal(merged, { defaultGraphs: ['no iri'] }).code).toBe('query-invalid')
  })

  it('may be datasets in FROM and FROM NAMED; those of the request win', () => {
    expect(count(`SELECT ?n FROM <${BASE}/dataset/b> { ?s <${BASE}/ns#name> ?n }`)).toBe(2)
    expect(
      count(`PREFIX d: <${BASE}/dataset/> SELECT ?n FROM NAMED d:a { GRAPH ?g { ?s <${BASE}/ns#name> ?n } }`),
    ).toBe(2)
    expect(count(`SELECT ?n FROM <${BASE}/graph/b/3> { ?s <${BASE}/ns#name> ?n }`)).toBe(1)
    const from = `SELECT ?n FROM <${BASE}/dataset/b> { ?s <${BASE}/ns#name> ?n }`
    expect(count(from, { defaultGraphs: [`${BASE}/graph/a/0`] })).toBe(1)
  })
})

describe('a query that is refused', () => {
  it.each([
    ['SELECT * {\n  ?s ?p ?o .\n  ?s ?p ?o )\n}', 3, 12, ') closes nothing, at line 3, column 12.'],
    ['SELECT * {\n  ?s ?p (1 ?o\n}', 3, 1, '} closes nothing'],
    ['SELECT ?s {\n ?s ?p ?o', 1, 11, '{ is not closed'],
    ['SELECT ?s { ?s ?p "x }', 1, 19, 'A string is not ended'],
    ['SELECT * {\n  ?s ?p ?o\n  WRONG\n}', 3, 3, 'unexpected "WRONG"'],
    ['SELECT * {\n  ?s ?p ?o ?q ?r\n}', 2, 12, 'unexpected'],
    ['SELECT * {\n  ?s ?p ?o .\n} LIMIT x', 3, 3, 'unexpected "LIMIT"'],
    ['SELEKT * { ?s ?p ?o }', 1, 1, 'unexpected "SELEKT"'],
    ['', 1, 1, 'it ends too early'],
    ['SELECT ?s (COUNT(*) AS ?c) { ?s ?p ?o }', 1, 40, 'The SELECT contains a variable that is unbound'],
  ])('names the place of a mistake: %j', (query, line, column, message) => {
    const error = refusal(query)
    expect(error.message).toContain(message)
    expect(error).toMatchObject({ code: 'query-invalid', details: { line, column } })
  })

  it.each([
    ['brackets', (n: number) => `ASK { FILTER(${'('.repeat(n)}1${')'.repeat(n)}) }`, 90, 110],
    ['groups within one another', (n: number) => `ASK ${'{'.repeat(n)}${'}'.repeat(n)}`, 90, 110],
    ['signs', (n: number) => `ASK { FILTER(${'!'.repeat(n)}true) }`, 240, 260],
    ['sums', (n: number) => `ASK { FILTER(1${'+1'.repeat(n)}) }`, 240, 260],
    ['alternatives', (n: number) => `ASK { FILTER(false${' || false'.repeat(n)}) }`, 240, 260],
    ['steps of a path', (n: number) => `ASK { ?s <urn:p>${'|<urn:p>'.repeat(n)} ?o }`, 240, 260],
    ['unions', (n: number) => `ASK { {}${' UNION {}'.repeat(n)} }`, 240, 260],
    ['optional groups', (n: number) => `ASK { ?s ?p ?o ${'OPTIONAL { ?s ?p ?o } '.repeat(n)} }`, 40, 260],
    ['filters', (n: number) => `ASK { ${'FILTER(true) '.repeat(n)} }`, 240, 260],
    [
      'chains within chains',
      (n: number) => `ASK { ${'FILTER(true) '.repeat(n)} { FILTER(1${'+1'.repeat(n)}) } }`,
      120,
      130,
    ],
    ['values of a list', (n: number) => `ASK { FILTER(1 IN (${'0, '.repeat(n)}1)) }`, 2_400, 2_600],
  ])('may be too far nested or chained for its parser: %s', (_, query, most, more) => {
    ask(query(most))
    expect(refusal(query(more)).message).toMatch(/^The query is nested more than 100 deep, or a chain/)
  })

  it('is not for its length alone', () => {
    const rows = Array.from({ length: 1_000 }, (_, n) => `(${n} -${n} "${'+'.repeat(300)}")`).join(' ')
    expect(ask(`SELECT * { VALUES (?a ?b ?c) { ${rows} } }`).rows).toBeGreaterThan(0)
    const paths = Array.from({ length: 20 }, (_, n) => `OPTIONAL { ?s <urn:a>/<urn:b>|^<urn:c${n}> ?o${n} . }`)
    ask(`ASK { ?s ?p ?o ${paths.join(' ')} }`)
    ask(`ASK { ${'?s <urn:a>/<urn:b> -5 ; <urn:c> ?d . '.repeat(8)} }`)
  })

  it('says which prefix is not declared', () => {
    const error = refusal('PREFIX a: <http://a/>\nSELECT * { ?s a:p x:q }')
    expect(error.message).toBe('The prefix x: is not declared, at line 2, column 19.')
  })

  it('may be an update, whatever stands before it', () => {
    for (const update of [
      'INSERT DATA { <http://a> <http://b> <http://c> }',
      'PREFIX x: <http://x/> # SELECT\ndelete where { ?s ?p ?o }',
      'BASE <http://x/> CLEAR ALL',
      'WITH <http://g> DELETE { ?s ?p ?o } WHERE { ?s ?p ?o }',
    ]) {
      expect(refusal(update).code).toBe('update-refused')
    }
  })

  it('may ask another service, in silence or not', () => {
    for (const query of [
      'SELECT * { SERVICE <http://a> { ?s ?p ?o } }',
      'SELECT * { service silent <http://a> { ?s ?p ?o } }',
    ]) {
      expect(refusal(query).message).toContain('SERVICE is not supported, at line 1, column 12')
    }
    expect(ask('PREFIX x: <http://SERVICE/> SELECT * { ?service x:SERVICE "SERVICE" }').rows).toBe(0)
  })
})

describe('cutting', () => {
  it('finds as many rows as the store has put there', () => {
    const store = new GraphStore(() => true)
    const value = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('"', '\\', '\\"', '}},{"', '\n', '""\r\n,', '<result>', '{}'),
    )
    fc.assert(
      fc.property(fc.array(value, { maxLength: 5 }), fc.nat(5), (values, maxRows) => {
        const rows = values.map((text) => `(${JSON.stringify(text).replaceAll('\u007f', '\\u007F')})`).join(' ')
        const query = `SELECT ?x { VALUES (?x) { ${rows} } }`
        for (const format of ['json', 'xml', 'csv', 'tsv'] as const) {
          const text = store.store.query(query, { results_format: format }) as string
          const cut = cutRows(text, format, maxRows)
          expect(cut).toMatchObject({ rows: Math.min(maxRows, values.length), isCut: values.length > maxRows })
          expect(cut.text).toBe(store.store.query(`${query} LIMIT ${maxRows}`, { results_format: format }))
        }
      }),
      { numRuns: 300 },
    )
  })
})
