import type { Quad } from '@rdfjs/types'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RdfError } from '../../src/rdf/errors.ts'
import { type FormatName, findFormat, formatOf, formats } from '../../src/rdf/formats.ts'
import { quadLine } from '../../src/rdf/lines.ts'
import { parseRdf } from '../../src/rdf/parse.ts'
import { writeRdf } from '../../src/rdf/write.ts'
import { quadOf } from './arbitrary.ts'

const prefixes = { ex: 'http://example.com/', ns: 'http://example.com/ns#', xsd: 'http://www.w3.org/2001/XMLSchema#' }

async function textOf(format: FormatName, quads: readonly Quad[]): Promise<string> {
  let text = ''
  for await (const piece of writeRdf(format, quads, prefixes)) text += piece
  return text
}

async function parsed(format: FormatName, chunks: Iterable<string | Uint8Array>): Promise<Quad[]> {
  const quads: Quad[] = []
  for await (const quad of parseRdf(format, chunks, 'http://base.example/doc')) quads.push(quad)
  return quads
}

/** Labels of blank nodes change on the way; the generator makes two, which say themselves by their place. */
const linesOf = (quads: readonly Quad[]): string[] =>
  [...new Set(quads.map((quad) => quadLine(quad).replace(/_:\S+/g, '_:b')))].sort()

const rejection = (format: FormatName, text: string): Promise<RdfError> =>
  parsed(format, [text]).then(
    () => expect.fail('it was read'),
    (error) => {
      expect(error).toBeInstanceOf(RdfError)
      return error as RdfError
    },
  )

describe('each format', () => {
  for (const { name, hasGraphs, isWritten } of Object.values(formats)) {
    if (!isWritten) continue
    it(`${name} gives back what it was given`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(quadOf(hasGraphs), { maxLength: 8 }), async (quads) => {
          expect(linesOf(await parsed(name, [await textOf(name, quads)]))).toEqual(linesOf(quads))
        }),
        { numRuns: 150 },
      )
    })

    it(`${name} is read alike however its bytes are cut`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(quadOf(hasGraphs), { minLength: 1, maxLength: 4 }),
          fc.integer({ min: 1, max: 40 }),
          async (quads, size) => {
            const bytes = Buffer.from(await textOf(name, quads))
            const chunks: Uint8Array[] = []
            for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
            expect(linesOf(await parsed(name, chunks))).toEqual(linesOf(quads))
          },
        ),
        { numRuns: 30 },
      )
    })
  }
})

describe('Turtle', () => {
  it('uses the prefixes and keeps a subject together', async () => {
    const quads = await parsed('turtle', ['@prefix ex: <http://example.com/>. ex:a a ex:B; ex:n 1, 2.5; ex:t "x"@en.'])
    expect(await textOf('turtle', quads)).toBe(`@prefix ex: <http://example.com/>.
@prefix ns: <http://example.com/ns#>.
@prefix xsd: <http://www.w3.org/2001/XMLSchema#>.

ex:a a ex:B;
    ex:n 1, 2.5;
    ex:t "x"@en .
`)
  })

  it('is streamed: quads come before the text has ended', async () => {
    async function* endless() {
      for (let i = 0; ; i++) yield `<http://a/${i}> <http://a/p> "x" .\n`
    }
    let count = 0
    for await (const _ of parseRdf('turtle', endless(), 'http://b/')) if (++count === 1_000) break
    expect(count).toBe(1_000)
  })

  it('with a mistake names the line and what is wrong', async () => {
    const error = await rejection('turtle', '@prefix ex: <http://example.com/>.\nex:a ex:b ex:c.\nex:a ex:b .\n')
    expect(error.code).toBe('bad-rdf')
    expect(error.message).toBe('Expected entity but got . on line 3.')
    expect(error.details).toEqual({ line: 3 })
  })

  it('that ends too early is refused', async () => {
    expect((await rejection('turtle', '<http://a/b> <http://a/c> "x"')).message).toContain('line 1')
    expect((await rejection('turtle', '<http://a/b> <http://a/c> "x')).message).toContain('line 1')
  })

  it('that is not UTF-8 is refused', async () => {
    const failing = parsed('turtle', [Buffer.from('<http://a/b> <http://a/c> "'), Uint8Array.of(0xff)])
    await expect(failing).rejects.toMatchObject({ code: 'bad-rdf', message: expect.stringContaining('UTF-8') })
  })
})

describe('RDF/XML', () => {
  const open = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://e/">\n'

  it('with a mistake names the line', async () => {
    const error = await rejection('rdf-xml', `${open}<rdf:Description rdf:about="http://a/b">\n<e:p>a</e:q>\n`)
    expect(error.message).toBe('Ill-formed document: expected `</e:p>`, but `</e:q>` was found, on line 3.')
  })

  it('that ends too early is refused', async () => {
    const error = await rejection('rdf-xml', `${open}<rdf:Description rdf:about="http://a/b">\n<e:p>a</e:p>\n`)
    expect(error.message).toBe('The document ends before its elements do, on line 4.')
    await rejection('rdf-xml', '')
    await rejection('rdf-xml', `${open}<!-- never closed`)
  })

  it('may declare entities, but none made of entities', async () => {
    const doctype = (entities: string) => `<?xml version="1.0"?>\n<!DOCTYPE rdf:RDF [\n${entities}\n<!-- don't -->]>\n`
    const body = `${open}<rdf:Description rdf:about="&x;a"><e:p>b</e:p></rdf:Description></rdf:RDF>`
    const quads = await parsed('rdf-xml', [`${doctype('<!ENTITY x "http://x/">')}${body}`])
    expect(quads[0]?.subject.value).toBe('http://x/a')
    const bomb = await rejection('rdf-xml', `${doctype('<!ENTITY a "aa"><!ENTITY x "&a;&a;">')}${body}`)
    expect(bomb.message).toContain('entity made of entities')
  })

  it('says which statements do not fit into XML', async () => {
    const odd = await parsed('turtle', ['<http://a/b> <http://a/123> "x".'])
    await expect(textOf('rdf-xml', odd)).rejects.toMatchObject({ code: 'not-expressible' })
    const control = await parsed('turtle', ['<http://a/b> <http://a/p> "\\u0001".'])
    await expect(textOf('rdf-xml', control)).rejects.toMatchObject({ code: 'not-expressible' })
  })
})

describe('JSON-LD', () => {
  it('with a mistake names the line', async () => {
    const error = await rejection('json-ld', '{"@id":"http://a/b",\n"http://a/p": [}')
    expect(error).toMatchObject({ code: 'bad-rdf', details: { line: 2 } })
  })

  it('fetches no contexts', async () => {
    const error = await rejection('json-ld', '{"@context":"http://schema.org","@id":"http://a/b"}')
    expect(error.code).toBe('bad-rdf')
  })

  it('is flat, with the prefixes in its context', async () => {
    const quads = await parsed('turtle', [
      '<http://example.com/a> a <http://example.com/ns#B>; <http://example.com/p> 1, "x", true.',
    ])
    expect(JSON.parse(await textOf('json-ld', quads))).toMatchObject({
      '@graph': [{ '@id': 'ex:a', '@type': ['ns:B'], 'ex:p': [{ '@value': '1', '@type': 'xsd:integer' }, 'x', true] }],
    })
  })
})

describe('formats', () => {
  it('are found by name, media type and file ending', () => {
    expect(findFormat('text/turtle; charset=utf-8')?.name).toBe('turtle')
    expect(findFormat('people.NT')?.name).toBe('n-triples')
    expect(findFormat('/tmp/a.b/people.nq')?.name).toBe('n-quads')
    expect(findFormat('xml')?.name).toBe('rdf-xml')
    expect(findFormat('json-ld')?.name).toBe('json-ld')
    expect(findFormat('text/html')).toBeUndefined()
    expect(() => formatOf('docx')).toThrow(RdfError)
  })

  it('that are only read cannot be written', async () => {
    await expect(textOf('n3', [])).rejects.toMatchObject({ code: 'unknown-format' })
  })
})
