import { createRequire } from 'node:module'
import fc from 'fast-check'
import type * as Oxigraph from 'oxigraph'
import { describe, expect, it } from 'vitest'
import { EntityTexts } from '../../src/graph/entity-text.ts'
import { GraphStore } from '../../src/graph/store.ts'
import type { Version } from '../../src/log/contract.ts'
import { encodeEntity } from '../../src/model/entity-encoder.ts'
import { isIri } from '../../src/rdf/iri.ts'
import { anyText } from '../any-text.ts'
import { entity, naming } from '../rdf/arbitrary.ts'

const { parse } = createRequire(import.meta.url)('oxigraph') as typeof Oxigraph

const versionOf = (given: Parameters<typeof encodeEntity>[0]): Version => {
  const { id, text, hash } = encodeEntity(given)
  return { id, sequence: 3, previous: null, deleted: false, ts: 1_700_000_000_123_456, hash, body: Buffer.from(text) }
}

describe('the text of an entity', () => {
  it('is what the store gives back, character by character, and goes as it came', () => {
    const texts = new EntityTexts(naming, { id: 'd', global: true, pipe: 'p', derivedFrom: ['s'] })
    fc.assert(
      fc.property(entity, (given) => {
        const version = versionOf(given)
        const text = texts.of(version)
        const graph = texts.graphIri(version.id)
        const store = new GraphStore(() => true)
        store.apply([{ graph, isGlobal: false, text, isNew: true }])
        const lines = store.store.dump({ format: 'application/n-quads' }).split('\n').filter(Boolean)
        const expected = [...text.statements, ...text.about].map((statement) => `${statement} <${graph}> .`)
        expect(lines.sort()).toEqual([...new Set(expected)].sort())
        // Every statement can be named in an update: one by one they all go.
        for (let left = text.statements.length - 1; left >= 0; left--) {
          store.apply([
            { graph, isGlobal: false, text: { ...text, statements: text.statements.slice(0, left) }, isNew: false },
          ])
        }
        expect(store.store.size).toBe(text.about.length)
      }),
      { numRuns: 500 },
    )
  })
})

describe('what counts as an IRI', () => {
  it('is an IRI for the store, too', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'http:',
        '//',
        'a',
        '/',
        '?',
        '#',
        '[',
        ']',
        '[::1]',
        '@',
        ':',
        ':80',
        '%20',
        '%zz',
        ' ',
        'å',
        '😀',
        '..',
        '\ue000',
        '{',
        '"',
        '\u0000',
      ),
      anyText({ maxLength: 2 }),
    )
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 8 }),
        fc.constantFrom('', 'http:', 'http://h', 'urn:x:'),
        (pieces, start) => {
          const iri = start + pieces.join('')
          if (isIri(iri)) expect(parse(`<http://a> <http://a> <${iri}> .`, { format: 'nt' })[0]?.object.value).toBe(iri)
        },
      ),
      { numRuns: 5_000 },
    )
  })
})
