/** Random entities, values and quads. */

import type { Quad } from '@rdfjs/types'
import fc from 'fast-check'
import { DataFactory } from 'n3'
import { type Dict, dictOf, set } from '../../src/model/dict.ts'
import type { Entity } from '../../src/model/entity.ts'
import { createNaming } from '../../src/model/iri.ts'
import {
  Bytes,
  Datetime,
  Decimal,
  float,
  integer,
  LocalDate,
  NI,
  URI,
  UUID,
  type Value,
} from '../../src/model/value.ts'
import { anyText } from '../any-text.ts'

const BASE = 'http://127.0.0.1:9042'

export const naming = createNaming({
  base: BASE,
  namespaces: { wd: 'http://www.wikidata.org/entity/', 'crm-person': 'https://crm.example/people#' },
  properties: { 'crm-person:email': 'http://www.wikidata.org/prop/direct/P968' },
})

/** Strings as they come in JSON; none starts with `~`, which would be read as a tag. */
const text = fc
  .oneof(
    fc.string({ unit: 'grapheme' }),
    anyText(),
    fc.constantFrom(
      '',
      ' ',
      'a\tb\nc\r\u0000\u0007"\\<>&',
      '\ufeffx',
      '\u0085\u2028',
      '\ud800',
      'x\udc00y',
      'true',
      '1',
    ),
  )
  .filter((string) => !string.startsWith('~'))

const namespace = fc.constantFrom('crm', 'crm-person', 'wd', 'rdf', 'foaf', 'a b', 'a/b', 'å', '_', 'x:y')
const local = fc
  .oneof(fc.constantFrom('1', 'a b', 'å/ø', '', 'type', '..', 'x#y', '😀'), text)
  .map((string) => string.replaceAll(':', ''))

const niText = fc.oneof(
  fc.tuple(namespace, local).map(([ns, id]) => `${ns}:${id}`),
  local,
  fc.constantFrom(':x', '::', 'crm-person:', 'http://example.org/x'),
)

const propertyName = fc.oneof(
  fc.constantFrom(
    'name',
    'crm:name',
    'crm-person:email',
    'rdf:type',
    '$ids',
    'foaf:name',
    '3',
    'constructor',
    '',
    'a/b c',
    '__proto__x',
  ),
  fc.tuple(namespace, local).map(([ns, id]) => `${ns}:${id}`),
)

const uriText = fc.oneof(
  fc.constantFrom(
    'http://example.com/a?b#c',
    'tel:+4712345678',
    'not an iri',
    '',
    'http://[::1]/',
    'http://example.com/ø',
    'http://a/%zz',
    'urn:uuid:531a379e-31bb-4ce1-8690-158dceb64be6',
    'http://www.wikidata.org/entity/Q5',
    `${BASE}/id/crm/1`,
    'crm:5',
    'xsd:5',
  ),
  fc.webUrl(),
  text,
)

const scalar: fc.Arbitrary<Value> = fc.oneof(
  text,
  fc.integer(),
  fc.bigInt().map((n) => integer(n)),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => float(n) as Value),
  fc.boolean(),
  fc.tuple(fc.bigInt(), fc.nat(30)).map(([unscaled, scale]) => new Decimal(unscaled, scale)),
  niText.map((ni) => new NI(ni)),
  uriText.map((uri) => new URI(uri)),
  fc.uuid().map((uuid) => new UUID(uuid)),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => new Bytes(bytes)),
  fc.integer({ min: -719_162, max: 2_932_896 }).map((days) => new LocalDate(days)),
  fc
    .bigInt({ min: -62_135_596_800_000_000_000n, max: 253_402_300_799_999_999_999n })
    .map((nanoseconds) => new Datetime(nanoseconds)),
)

const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value; dict: Dict; list: Value[] }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, { weight: 6, arbitrary: scalar }, fc.constant(null), tie('list'), tie('dict')),
  list: fc.array(tie('value'), { maxLength: 4 }),
  dict: fc.array(fc.tuple(propertyName, tie('value')), { maxLength: 4 }).map((pairs) => dictOf(pairs)),
})).value

/** At the root names that start with `_` are the hub's own. */
const rootName = propertyName.filter((name) => !name.startsWith('_'))

const content = fc.array(fc.tuple(rootName, value), { maxLength: 6 }).map((pairs) => dictOf(pairs))

export const entity: fc.Arbitrary<Entity> = fc.tuple(niText, content).map(([id, properties]) => {
  set(properties, '_id', id)
  return properties
})

const { namedNode, literal, blankNode, quad, defaultGraph } = DataFactory

const iri = fc.constantFrom(
  'http://example.com/a',
  'http://example.com/ns#b',
  'http://example.com/ns#b/c',
  'http://example.com/ns#-x',
  'http://example.com/å',
  'http://example.com/1',
  'urn:x:y',
  'ex:5',
  'ex://host/x',
  'https://ex.example/%20',
  'http://www.w3.org/1999/02/22-rdf-syntax-ns#type',
)
const predicate = fc.constantFrom(
  'http://example.com/ns#name',
  'http://example.com/x_1',
  'http://other.example/p%20q',
  'ex:q',
)

/** Quads every format but those without graphs can say; no control characters, which XML has not. */
export const quadOf = (withGraphs: boolean): fc.Arbitrary<Quad> =>
  fc
    .record({
      subject: fc.oneof(iri.map(namedNode), fc.constant(blankNode('b1'))),
      predicate: fc.oneof(predicate, fc.constant('http://www.w3.org/1999/02/22-rdf-syntax-ns#type')).map(namedNode),
      object: fc.oneof(
        iri.map(namedNode),
        fc.constant(blankNode('b2')),
        fc.string({ unit: 'grapheme' }).map((string) => literal(string)),
        fc.constantFrom('a\n\tb\r "\\', '', ' x ', '<&>').map((string) => literal(string)),
        fc.constantFrom('en', 'nb-no').map((language) => literal('x', language)),
        fc
          .constantFrom('1', '01', '1.50', '1e3', 'true', 'wrong')
          .chain((lexical) =>
            fc
              .constantFrom('integer', 'decimal', 'double', 'boolean', 'dateTime')
              .map((type) => literal(lexical, namedNode(`http://www.w3.org/2001/XMLSchema#${type}`))),
          ),
        fc.constant(literal('{"a":1.0}', namedNode('http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON'))),
      ),
      graph: withGraphs ? fc.oneof(fc.constant(defaultGraph()), iri.map(namedNode)) : fc.constant(defaultGraph()),
    })
    .map((parts) => quad(parts.subject, parts.predicate, parts.object, parts.graph) as Quad)
