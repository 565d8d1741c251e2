import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createNaming } from '../../src/model/iri.ts'
import { decode, encode } from '../../src/model/percent.ts'
import { anyText } from '../any-text.ts'

const BASE = 'http://127.0.0.1:9042'

const part = fc.oneof(
  anyText({ maxLength: 6 }),
  fc.constantFrom(
    '',
    'a',
    'a/b',
    ' ',
    '%',
    '%2F',
    '#',
    ':',
    '::',
    '?',
    'æ',
    '😀',
    '\ud800',
    '\udc00',
    '..',
    'id',
    'ns',
    "it's(*)!",
    '\u0001',
    '\uFFFD',
  ),
)
/** With zero, one or more colons. */
const identifier = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(':'))

const registered = fc.dictionary(
  fc.constantFrom('a', 'b', 'id', 'a:b', '', 'rdf', 'æ', 'x'),
  fc.constantFrom(
    'http://x/',
    'http://x/a',
    'http://x/a/',
    'http://x/a%2F',
    'http://x/#',
    'http://www.w3.org/',
    `${BASE}`,
    `${BASE}/`,
    `${BASE}/id/`,
    `${BASE}/id/a/`,
    `${BASE}/ns/a#`,
    `${BASE}/ns#`,
    `${BASE}/n`,
    `${BASE}/graph/`,
    'not an iri',
    '',
  ),
)
const anyNaming = fc
  .tuple(registered, fc.constantFrom(BASE, `${BASE}/`, `${BASE}/t/acme`))
  .map(([namespaces, base]) => createNaming({ base, namespaces }))

const IRI = /^[a-z]+:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]*$/

describe('NIs as IRIs', () => {
  it('come back exactly, whatever they hold and whatever prefixes there are', () => {
    fc.assert(
      fc.property(anyNaming, identifier, (naming, ni) => {
        const iri = naming.niToIri(ni)
        expect(iri).toMatch(IRI)
        expect(naming.iriToNi(iri)).toBe(ni)
        expect(naming.entityIri(ni)).toBe(iri)
      }),
      { numRuns: 5000 },
    )
  })

  it('name no NI, or one whose IRI they are', () => {
    const iri = fc.oneof(
      fc
        .tuple(
          fc.constantFrom(`${BASE}/id/`, `${BASE}/id/a/`, `${BASE}/id//`, 'http://x/', 'http://example.org/'),
          fc.webPath(),
        )
        .map((parts) => parts.join('')),
      fc.webUrl(),
    )
    fc.assert(
      fc.property(anyNaming, iri, (naming, one) => {
        const ni = naming.iriToNi(one)
        return ni === null || naming.niToIri(ni) === one
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['crm:1', `${BASE}/id/crm/1`],
    ['1', `${BASE}/id//1`],
    ['', `${BASE}/id//`],
    [':1', `${BASE}/id//%3A1`],
    ['::1', `${BASE}/id/%3A/1`],
    ['a:b:c', `${BASE}/id/a%3Ab/c`],
    ['crm:a/b c', `${BASE}/id/crm/a%2Fb%20c`],
    ['crm:Ærlig', `${BASE}/id/crm/%C3%86rlig`],
    ["crm:it's (1)*!", `${BASE}/id/crm/it%27s%20%281%29%2A%21`],
    ['foaf:Person', 'http://xmlns.com/foaf/0.1/Person'],
    ['_:x', 'http://example.org/x'],
    ['rdf:a/b', 'http://www.w3.org/1999/02/22-rdf-syntax-ns#a%2Fb'],
  ])('%j is %s', (ni, iri) => {
    const naming = createNaming({ base: BASE })
    expect(naming.niToIri(ni)).toBe(iri)
    expect(naming.iriToNi(iri)).toBe(ni)
  })

  it.each([
    'http://elsewhere.org/x',
    `${BASE}/id/crm/a%2fb`,
    `${BASE}/id/crm/a/b`,
    `${BASE}/id/crm`,
    `${BASE}/id/foaf/Person`,
    'http://xmlns.com/foaf/0.1/a/b',
    'http://xmlns.com/foaf/0.1/a:b',
    'http://xmlns.com/foaf/0.1/%FF',
    'http://xmlns.com/foaf/0.1/%',
  ])('%s is no NI', (iri) => {
    expect(createNaming({ base: BASE }).iriToNi(iri)).toBeNull()
  })

  it('follow the longest prefix', () => {
    const naming = createNaming({ base: BASE, namespaces: { short: 'http://x/', long: 'http://x/a/' } })
    expect(naming.niToIri('long:1')).toBe('http://x/a/1')
    expect(naming.iriToNi('http://x/a/1')).toBe('long:1')
    expect(naming.niToIri('short:1')).toBe('http://x/1')
  })

  it('take the usual form where a prefix could not be undone', () => {
    const naming = createNaming({ base: BASE, namespaces: { short: 'http://x/', long: 'http://x/a' } })
    expect(naming.niToIri('short:ab')).toBe(`${BASE}/id/short/ab`)
    expect(naming.iriToNi('http://x/ab')).toBe('long:b')
  })

  it('follow a prefix of the tenant rather than the built-in one', () => {
    const naming = createNaming({ base: BASE, namespaces: { foaf: 'http://my.org/' } })
    expect(naming.niToIri('foaf:x')).toBe('http://my.org/x')
    expect(naming.iriToNi('http://xmlns.com/foaf/0.1/x')).toBeNull()
  })
})

describe('properties as IRIs', () => {
  it('come back exactly', () => {
    fc.assert(
      fc.property(anyNaming, identifier, (naming, name) => {
        const iri = naming.propertyToIri(name)
        expect(iri).toMatch(IRI)
        expect(naming.iriToProperty(iri)).toBe(name)
      }),
      { numRuns: 5000 },
    )
  })

  it.each([
    ['crm:name', `${BASE}/ns/crm#name`],
    ['name', `${BASE}/ns#name`],
    [':name', `${BASE}/ns/#name`],
    ['', `${BASE}/ns#`],
    ['a:b:c#d', `${BASE}/ns/a%3Ab#c%23d`],
    ['rdf:type', 'http://www.w3.org/1999/02/22-rdf-syntax-ns#type'],
  ])('%j is %s', (name, iri) => {
    const naming = createNaming({ base: BASE })
    expect(naming.propertyToIri(name)).toBe(iri)
    expect(naming.iriToProperty(iri)).toBe(name)
  })

  it('are what a mapping says', () => {
    const email = 'http://www.wikidata.org/prop/direct/P968'
    const naming = createNaming({ base: BASE, properties: { 'crm:email': email, 'erp:mail': email } })
    expect(naming.propertyToIri('crm:email')).toBe(email)
    expect(naming.propertyToIri('erp:mail')).toBe(email)
    expect(naming.iriToProperty(email)).toBe('crm:email')
    expect(naming.iriToProperty(`${BASE}/ns/crm#email`)).toBeNull()
  })
})

describe('graphs', () => {
  it('come back exactly', () => {
    fc.assert(
      fc.property(anyNaming, part, identifier, (naming, dataset, id) => {
        expect(naming.parseGraphIri(naming.graphIri(dataset, id))).toEqual({ dataset, id })
      }),
    )
  })

  it('are told from other IRIs', () => {
    const naming = createNaming({ base: BASE })
    expect(naming.parseGraphIri(`${BASE}/graph/crm`)).toBeNull()
    expect(naming.parseGraphIri(`${BASE}/graph/crm/a/b`)).toBeNull()
    expect(naming.parseGraphIri(`${BASE}/id/crm/1`)).toBeNull()
  })
})

describe('other things', () => {
  it('have IRIs below the base', () => {
    const naming = createNaming({ base: `${BASE}/t/acme/` })
    expect(naming.datasetIri('a b')).toBe(`${BASE}/t/acme/dataset/a%20b`)
    expect(naming.pipeIri('p')).toBe(`${BASE}/t/acme/pipe/p`)
    expect(naming.runIri('p', 7)).toBe(`${BASE}/t/acme/run/p/7`)
  })
})

describe('percent-encoding', () => {
  it('leaves only unreserved characters, and is undone exactly', () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        expect(encode(text)).toMatch(/^(?:[A-Za-z0-9\-._~]|%[0-9A-F]{2})*$/)
        expect(decode(encode(text))).toBe(text)
      }),
    )
  })

  it('tells halves of surrogate pairs apart', () => {
    for (const text of [
      '\ud800',
      '\udbff',
      '\udc00',
      '\udfff',
      'a\ud800b',
      '\udc00\ud800',
      '\ud800\ud83d\ude00',
      '\ufffd',
    ]) {
      expect(decode(encode(text))).toBe(text)
    }
    expect(encode('\ud800')).not.toBe(encode('\ud801'))
  })

  it.each(['%2f', '%41', 'a b', 'æ', '%', '%G0', '%FF', '%ED%A0%80%ED%B0%80', '/', "'"])(
    'decodes %j to nothing',
    (text) => {
      expect(decode(text)).toBeNull()
    },
  )
})
