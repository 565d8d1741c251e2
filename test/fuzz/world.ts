/** What the fuzzed hub holds, put there again and again: a few pipes of each kind, entities, and samples of what may be asked. */

/** Names that are there; the fuzzer asks for them half of the time. */
export const KNOWN = [
  'in',
  'people',
  'published',
  'table',
  'off',
  'default',
  'crm',
  'p1',
  'entities',
  'people.csv',
  '0',
  '1',
]

const dtl = (...rules: unknown[]) => ({ type: 'dtl', rules: { default: rules } })

export const CONFIGURATION = [
  { _id: 'in', type: 'pipe', source: { type: 'http_endpoint' } },
  {
    _id: 'people',
    type: 'pipe',
    source: { type: 'dataset', dataset: 'in' },
    transform: dtl(
      ['copy', '*'],
      ['add', 'rdf:type', ['ni', 'crm', 'person']],
      ['add', 'company', ['hops', { datasets: ['in c'], where: ['eq', '_S.works_for', 'c._id'], return: 'c.name' }]],
    ),
    sink: { type: 'dataset', dataset: 'people' },
    metadata: { global: true },
    pump: { mode: 'manual' },
  },
  {
    _id: 'published',
    type: 'pipe',
    source: { type: 'dataset', dataset: 'people' },
    sink: { type: 'http_endpoint' },
    transform: dtl(['copy', '*'], ['add', 'q', ['concat', 'x', '_B.q']]),
  },
  {
    _id: 'table',
    type: 'pipe',
    source: { type: 'dataset', dataset: 'people' },
    sink: { type: 'csv_endpoint', columns: ['_id', 'name'] },
  },
  {
    _id: 'off',
    type: 'pipe',
    source: { type: 'embedded', entities: [{ _id: 'e1' }, { _id: 'e2', name: 'x' }] },
    pump: { mode: 'manual' },
  },
  { _id: 'crm', type: 'system:url', url_pattern: 'http://127.0.0.1:1/%s' },
] as const

export const ENTITIES = [
  {
    _id: 'p1',
    name: 'Åse',
    age: 41,
    works_for: 'c1',
    born: '~t1984-02-03T00:00:00Z',
    tags: ['a', 'b'],
    ref: '~:crm:c1',
  },
  {
    _id: 'c1',
    name: 'Company',
    orgnr: 123456789012345678901234567890n.toString(),
    nested: { deep: [1, [2, { x: null }]] },
  },
  { _id: 'gone', _deleted: true },
] as const

export const QUERIES = [
  'SELECT ?s ?p ?o WHERE { ?s ?p ?o } LIMIT 10',
  'PREFIX x: <http://example.org/> ASK { ?s x:name "Åse"@no . FILTER(?s != <http://a>) }',
  'CONSTRUCT { ?s a ?t } WHERE { GRAPH ?g { ?s a ?t } OPTIONAL { ?s <urn:x>/<urn:y>* ?z } }',
  'SELECT (COUNT(*) AS ?n) WHERE { { ?s ?p 1 } UNION { ?s ?p "x"^^<urn:t> } MINUS { ?s ?q ?r } } GROUP BY ?s HAVING (?n > 1)',
  'DESCRIBE <http://127.0.0.1:9042/id/crm/p1>',
  'SELECT * WHERE { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }',
  'INSERT DATA { <urn:a> <urn:b> <urn:c> }',
  'SELECT * WHERE { ?s ?p ?o FILTER regex(str(?o), "(a+)+$") }',
]

export const DOCUMENTS = [
  '{ __schema { types { name fields { name } } } }',
  '{ people(id: "p1") { _id name _json _history { _updated } } }',
  'query Q($n: Int = 3) { peopleList(first: $n, filter: { name: { contains: "a" } }) { nodes { _id } pageInfo { hasNextPage } totalCount } }',
  '{ a: peopleList { edges { cursor node { ...F } } } } fragment F on People { _id _iri }',
  'mutation { x }',
  'subscription { x }',
]
