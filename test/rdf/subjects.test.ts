import { describe, expect, it } from 'vitest'
import { idOf } from '../../src/model/entity.ts'
import { parseJson, writeJson } from '../../src/model/json.ts'
import { parseRdf } from '../../src/rdf/parse.ts'
import { entityQuads } from '../../src/rdf/quads.ts'
import { type SubjectsOptions, subjectsOf } from '../../src/rdf/subjects.ts'
import { writeRdf } from '../../src/rdf/write.ts'
import { naming } from './arbitrary.ts'

const HEAD = `@prefix wd: <http://www.wikidata.org/entity/>. @prefix ex: <http://example.com/>.
@prefix foaf: <http://xmlns.com/foaf/0.1/>. @prefix xsd: <http://www.w3.org/2001/XMLSchema#>.\n`

async function read(turtle: string, options: Partial<SubjectsOptions> = {}): Promise<string[]> {
  const entities: string[] = []
  const quads = parseRdf('turtle', [HEAD + turtle], 'http://base/')
  for await (const entity of subjectsOf(quads, { naming, ...options })) entities.push(writeJson(entity))
  return entities
}

describe('subjects of foreign RDF', () => {
  it('become entities, with what is registered in short', async () => {
    expect(await read('wd:Q5 a ex:Class; foaf:name "human"; ex:same ex:Human, wd:Q1.')).toEqual([
      '{"_id":"wd:Q5","rdf:type":"~rhttp://example.com/Class","foaf:name":"human","http://example.com/same":["~:wd:Q1","~rhttp://example.com/Human"]}',
    ])
    expect(await read('ex:a ex:b 1.')).toEqual(['{"_id":"http://example.com/a","http://example.com/b":1}'])
  })

  it('have repeated statements as a list, in the value order or as they came', async () => {
    expect(await read('ex:a ex:b "x", 3, 1, true, 3.')).toEqual([
      '{"_id":"http://example.com/a","http://example.com/b":[true,1,3,"x"]}',
    ])
    expect(await read('ex:a ex:b "x", 3, 1, true, 3.', { sortLists: false })).toEqual([
      '{"_id":"http://example.com/a","http://example.com/b":["x",3,1,true]}',
    ])
  })

  it('have blank nodes as nested dicts, and collections as lists', async () => {
    expect(
      await read('wd:Q5 foaf:knows [ foaf:name "A"; foaf:knows [ foaf:name "B" ] ]; foaf:list (2 1 [] ()).'),
    ).toEqual(['{"_id":"wd:Q5","foaf:knows":{"foaf:name":"A","foaf:knows":{"foaf:name":"B"}},"foaf:list":[2,1,{},[]]}'])
  })

  it('may be blank nodes: then they are named by what they say', async () => {
    const [first, ...more] = await read('[] foaf:name "A".')
    const [again] = await read('ex:x ex:y 1. [] foaf:name "A".').then((all) => all.slice(1))
    expect(more).toEqual([])
    expect(first).toMatch(/^\{"_id":"http:\/\/127.0.0.1:9042\/.well-known\/genid\/[0-9a-f]{32}","foaf:name":"A"\}$/)
    expect(again).toBe(first)
  })

  it('that are blank nodes within themselves end', async () => {
    expect(await read('wd:Q5 foaf:knows _:a. _:a foaf:knows _:b. _:b foaf:knows _:a; foaf:name "b".')).toHaveLength(1)
  })

  it('that share blank nodes without end are refused', async () => {
    const ladder = Array.from({ length: 40 }, (_, i) => `_:n${i} ex:l _:n${i + 1}; ex:r _:n${i + 1}.`).join('\n')
    await expect(read(`ex:a ex:b _:n0.\n${ladder}`)).rejects.toMatchObject({ code: 'not-expressible' })
  })

  it('have typed values; forms that a datatype does not allow stay text; language tags go', async () => {
    expect(
      await read(
        'wd:Q5 foaf:a "7"^^xsd:long, "x"^^xsd:integer, "2020-01-02T03:04:05+02:00"^^xsd:dateTime, "2020-01-02T03:04:05"^^xsd:dateTime, "INF"^^xsd:double, 1.50, 1.5e0, "hei"@nb, "hi"@en, "P1D"^^xsd:duration, "0f"^^xsd:hexBinary.',
      ),
    ).toEqual([
      '{"_id":"wd:Q5","foaf:a":["~f1.50",1.5,7,"~t2020-01-02T01:04:05Z","2020-01-02T03:04:05","INF","P1D","hei","hi","x","~bDw=="]}',
    ])
  })

  it('do not set what belongs to the hub', async () => {
    expect(await read('<http://127.0.0.1:9042/id/crm/1> <http://127.0.0.1:9042/ns#_deleted> true.')).toEqual([
      '{"_id":"crm:1","http://127.0.0.1:9042/ns#_deleted":true}',
    ])
  })

  it('are streamed when sorted, without blank nodes', async () => {
    let read = 0
    async function* lines() {
      for (let i = 0; i < 10_000; i++) {
        read = i
        yield `<http://a/${i}> <http://a/p> "x", "y" .\n`
      }
    }
    for await (const entity of subjectsOf(parseRdf('turtle', lines(), 'http://b/'), { naming, isSorted: true })) {
      if (idOf(entity) === 'http://a/5') break
    }
    expect(read).toBeLessThan(10)
    await expect(
      (async () => {
        for await (const _ of subjectsOf(parseRdf('turtle', ['<http://a/1> <http://a/p> [].'], 'http://b/'), {
          naming,
          isSorted: true,
        }));
      })(),
    ).rejects.toMatchObject({ code: 'not-expressible' })
  })
})

describe('an export read again', () => {
  const given = [
    '{"_id":"crm:1","$ids":["~:erp:7","~:crm:9"],"rdf:type":"~:wd:Q5","list":[3,1,1,null,[]],"nested":[{"a":1},{"a":{}}]}',
    '{"_id":"crm:2","uuid":"~u531a379e-31bb-4ce1-8690-158dceb64be6","d":1.0,"one":["x"]}',
  ]

  for (const format of ['trig', 'turtle', 'n-quads', 'json-ld', 'rdf-xml'] as const) {
    it(`gives the same entities in ${format}`, async () => {
      const quads = given.flatMap((json) =>
        entityQuads(parseJson(json) as never, naming, { dataset: 'd', sameAs: true, beside: true }),
      )
      const back: string[] = []
      for await (const entity of subjectsOf(
        parseRdf(format, writeRdf(format, quads) as AsyncIterable<string>, 'http://b/'),
        { naming },
      )) {
        back.push(writeJson(entity))
      }
      expect(back).toEqual(given)
    })
  }

  it('tells of a literal that disagrees', async () => {
    const disagreeing: string[] = []
    await read(
      'wd:Q5 <https://w3id.org/samtale/hub#canonicalJson> "{\\"_id\\":\\"wd:Q5\\",\\"a\\":[1]}"^^rdf:JSON; foaf:name "x".'.replace(
        '^^rdf:JSON',
        '',
      ),
      {
        onDisagreement: (id) => disagreeing.push(id),
      },
    )
    expect(disagreeing).toEqual(['wd:Q5'])
  })
})
