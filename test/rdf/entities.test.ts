import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalText } from '../../src/model/canonical.ts'
import { dictOf, get } from '../../src/model/dict.ts'
import { type Entity, idOf } from '../../src/model/entity.ts'
import { parseJson, writeJson } from '../../src/model/json.ts'
import { readWithLiteral } from '../../src/rdf/beside.ts'
import { SubjectGroups } from '../../src/rdf/groups.ts'
import { isIri } from '../../src/rdf/iri.ts'
import { quadLine } from '../../src/rdf/lines.ts'
import { entityQuads } from '../../src/rdf/quads.ts'
import { subjectIri } from '../../src/rdf/statements.ts'
import { entity, naming } from './arbitrary.ts'

const parse = (json: string): Entity => parseJson(json) as Entity
const linesOf = (json: string, options = {}): string[] =>
  entityQuads(parse(json), naming, options).map((quad) => quadLine(quad).trimEnd())

function wayBack(given: Entity, options = {}) {
  const groups = new SubjectGroups()
  for (const quad of entityQuads(given, naming, options)) groups.add(quad)
  return readWithLiteral(subjectIri(idOf(given), naming), groups, { naming })
}

describe('an entity as quads', () => {
  it('comes back from its statements and the literal beside them', () => {
    fc.assert(
      fc.property(entity, (given) => {
        const back = wayBack(given, { beside: true })
        expect(back.disagrees).toBe(false)
        expect(canonicalText(back.entity)).toBe(canonicalText(given))
      }),
      { numRuns: 1_000 },
    )
  })

  it('has a literal exactly when the statements alone do not give it back', () => {
    fc.assert(
      fc.property(entity, (given) => {
        const isStated = entityQuads(given, naming).length > 0
        const alone = isStated && canonicalText(wayBack(given).entity) === canonicalText(given)
        const literal = entityQuads(given, naming, { beside: true }).some(({ predicate }) =>
          predicate.value.endsWith('#canonicalJson'),
        )
        expect(literal).toBe(!alone)
      }),
      { numRuns: 500 },
    )
  })

  it('holds nothing but valid IRIs, and no blank nodes', () => {
    fc.assert(
      fc.property(entity, (given) => {
        for (const { subject, predicate, object, graph } of entityQuads(given, naming, {
          dataset: 'd',
          sameAs: true,
        })) {
          for (const term of [subject, predicate, object, graph]) {
            expect(term.termType).not.toBe('BlankNode')
            if (term.termType === 'NamedNode') expect(isIri(term.value), term.value).toBe(true)
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it('keeps every scalar in one statement with the datatype of its kind', () => {
    expect(
      linesOf(
        '{"_id":"crm:1","a":"x","b":12345678901234567890,"c":1.5,"d":1.0,"e":"~f1.50","f":true,"g":"~t2020-01-02","h":"~t2020-01-02T03:04:05.1Z","i":"~bAAE=","j":"~u531a379e-31bb-4ce1-8690-158dceb64be6","k":"~:crm:2","l":"~rhttp://example.com/x","m":"~rno iri"}',
      ),
    ).toEqual(
      [
        ['a', '"x"'],
        ['b', '"12345678901234567890"^^<http://www.w3.org/2001/XMLSchema#integer>'],
        ['c', '"1.5E0"^^<http://www.w3.org/2001/XMLSchema#double>'],
        ['d', '"1.0E0"^^<http://www.w3.org/2001/XMLSchema#double>'],
        ['e', '"1.50"^^<http://www.w3.org/2001/XMLSchema#decimal>'],
        ['f', '"true"^^<http://www.w3.org/2001/XMLSchema#boolean>'],
        ['g', '"2020-01-02"^^<http://www.w3.org/2001/XMLSchema#date>'],
        ['h', '"2020-01-02T03:04:05.1Z"^^<http://www.w3.org/2001/XMLSchema#dateTime>'],
        ['i', '"AAE="^^<http://www.w3.org/2001/XMLSchema#base64Binary>'],
        ['j', '<urn:uuid:531a379e-31bb-4ce1-8690-158dceb64be6>'],
        ['k', '<http://127.0.0.1:9042/id/crm/2>'],
        ['l', '<http://example.com/x>'],
        ['m', '"no iri"^^<http://www.w3.org/2001/XMLSchema#anyURI>'],
      ].map(([name, object]) => `<http://127.0.0.1:9042/id/crm/1> <http://127.0.0.1:9042/ns#${name}> ${object} .`),
    )
    const given = parse('{"_id":"crm:1","d":1.0,"e":"~f1.50"}')
    expect(writeJson(wayBack(given).entity)).toBe(writeJson(given))
  })

  it('gives nested dicts IRIs below the entity, and types as rdf:type', () => {
    expect(
      linesOf('{"_id":"crm:1","rdf:type":"~:wd:Q5","a b":[{"x":1},{"y":{"z":2}}],"_hidden":1}', { dataset: 'people' }),
    ).toEqual(
      [
        '<E> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.wikidata.org/entity/Q5>',
        '<E> <B/ns#a%20b> <E#/a%20b/0>',
        '<E#/a%20b/0> <B/ns#x> "1"^^<http://www.w3.org/2001/XMLSchema#integer>',
        '<E> <B/ns#a%20b> <E#/a%20b/1>',
        '<E#/a%20b/1> <B/ns#y> <E#/a%20b/1/y/0>',
        '<E#/a%20b/1/y/0> <B/ns#z> "2"^^<http://www.w3.org/2001/XMLSchema#integer>',
      ].map((line) =>
        `${line} <B/graph/people/crm%3A1> .`.replaceAll('<E', '<B/id/crm/1').replaceAll('<B', '<http://127.0.0.1:9042'),
      ),
    )
  })

  it('states that its identities are the same thing, itself left out', () => {
    const lines = linesOf('{"_id":"crm:1","$ids":["~:crm:1","~:erp:7"]}', { sameAs: true })
    expect(lines.filter((line) => line.includes('sameAs'))).toEqual([
      '<http://127.0.0.1:9042/id/erp/7> <http://www.w3.org/2002/07/owl#sameAs> <http://127.0.0.1:9042/id/crm/1> .',
    ])
  })

  it('takes the statements and says so when the literal says something else', () => {
    const given = parse('{"_id":"crm:1","a":[2,1]}')
    const groups = new SubjectGroups()
    for (const quad of entityQuads(given, naming, { beside: true })) {
      // Somebody edited the file: one value is gone.
      if (quad.object.value !== '2') groups.add(quad)
    }
    const back = readWithLiteral('http://127.0.0.1:9042/id/crm/1', groups, { naming })
    expect(back.disagrees).toBe(true)
    expect(get(back.entity, 'a')).toBe(1)
  })

  it('survives a namespace registered with something that is no IRI', async () => {
    const { createNaming } = await import('../../src/model/iri.ts')
    const odd = createNaming({ base: 'http://h', namespaces: { bad: 'no iri ', spaced: 'http://x/a b#' } })
    const quads = entityQuads(dictOf({ _id: 'bad:1', 'spaced:p': 1, 'bad:q': 2 }) as Entity, odd)
    for (const { subject, predicate } of quads) {
      expect(isIri(subject.value), subject.value).toBe(true)
      expect(isIri(predicate.value), predicate.value).toBe(true)
    }
  })
})
