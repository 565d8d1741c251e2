import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PipeError } from '../../../src/pipes/errors.ts'
import { type ElementGroup, ElementSplitter } from '../../../src/pipes/sources/json-elements.ts'

const unlimited = {
  elements: Number.POSITIVE_INFINITY,
  bytes: Number.POSITIVE_INFINITY,
  elementBytes: Number.POSITIVE_INFINITY,
}

function split(chunks: readonly Uint8Array[], limits = unlimited): ElementGroup[] {
  const splitter = new ElementSplitter('The answer', limits)
  const groups = chunks.flatMap((chunk) => splitter.push(chunk))
  splitter.finish()
  return groups
}

const parsed = (groups: readonly ElementGroup[]): unknown[] =>
  groups.flatMap(({ bytes }) => JSON.parse(`[${Buffer.from(bytes).toString()}]`))

const bytes = (text: string): Uint8Array => Buffer.from(text)

/** Every byte in a chunk of its own. */
const crumbs = (text: string): Uint8Array[] => [...Buffer.from(text)].map((byte) => Buffer.from([byte]))

const errorCode = (chunks: readonly Uint8Array[]): string | undefined => {
  try {
    split(chunks)
    return undefined
  } catch (error) {
    return (error as PipeError).code
  }
}

/** Cuts bytes into chunks of the given lengths, the rest in one more. */
function cut(all: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = []
  let at = 0
  for (const length of lengths) {
    chunks.push(all.subarray(at, at + length))
    at += length
  }
  chunks.push(all.subarray(at))
  return chunks
}

describe('the elements of a stream', () => {
  test('are those of the array, wherever the chunks end and however they are grouped', () => {
    const layout = fc.constantFrom(undefined, 1, '\t', ' \r\n')
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue()),
        layout,
        fc.array(fc.nat(30)),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 60 }),
        (values, space, lengths, elements, size) => {
          const text = JSON.stringify(values, null, space)
          const groups = split(cut(bytes(text), lengths), { ...unlimited, elements, bytes: size })
          expect(parsed(groups)).toEqual(JSON.parse(text))
          expect(groups.every(({ count }) => count <= elements)).toBe(true)
          let first = 1
          for (const group of groups) {
            expect(group.first).toBe(first)
            first += group.count
          }
          expect(first - 1).toBe(values.length)
        },
      ),
    )
  })

  test.each([
    String.raw`[{"a":"]},{[\"\\"},"x\\\\",["\\\""], {"\u005d":"é😀,"}]`,
    '[ ]',
    '[]',
    ' \n[1 , 2\t,3]\r\n',
    '[[[]],[{}],{"a":[1,2]}]',
  ])('of %s are found byte by byte', (text) => {
    expect(parsed(split(crumbs(text)))).toEqual(JSON.parse(text))
  })

  test('may be one object, and may come after a byte order mark', () => {
    const groups = split(crumbs('\ufeff {"a":{"b":"}"}} '))
    expect(parsed(groups)).toEqual([{ a: { b: '}' } }])
    expect(groups[0]).toMatchObject({ count: 1, first: 1 })
    expect(parsed(split([bytes('\ufeff[1]')]))).toEqual([1])
  })
})

/** What a reader makes of a text: its values, or undefined when it is refused. */
function readable(text: Buffer): unknown[] | undefined {
  try {
    const groups = split(cut(text, [3, 5]), { ...unlimited, elements: 2 })
    const values = parsed(groups)
    return values.length === groups.reduce((sum, { count }) => sum + count, 0) ? values : undefined
  } catch {
    return undefined
  }
}

test('a damaged stream is refused, or read as what it has become', () => {
  const damage = fc.tuple(fc.nat(), fc.constantFrom(...Buffer.from('[]{},:"\\ 0a')))
  fc.assert(
    fc.property(
      fc.array(fc.jsonValue(), { minLength: 1 }),
      fc.array(damage, { minLength: 1, maxLength: 3 }),
      (values, damages) => {
        const text = Buffer.from(JSON.stringify(values))
        for (const [at, byte] of damages) text[at % text.length] = byte
        let expected: unknown
        try {
          expected = JSON.parse(text.toString())
        } catch {
          expected = undefined
        }
        if (typeof expected !== 'object' || expected === null) expected = undefined
        else if (!Array.isArray(expected)) expected = [expected]
        expect(readable(text)).toEqual(expected)
      },
    ),
    { numRuns: 1000 },
  )
})

describe('a stream that ends too early', () => {
  test('is an error at every length, never fewer elements', () => {
    const text = String.raw`[{"a":["x\"",1]},{"b":{}},3]`
    for (let length = 1; length < text.length; length++) {
      expect(errorCode([bytes(text.slice(0, length))])).toBe('json-truncated')
      expect(errorCode(crumbs(text.slice(0, length)))).toBe('json-truncated')
    }
  })

  test('gives the elements that were whole first', () => {
    const splitter = new ElementSplitter('The answer', { ...unlimited, elements: 1 })
    expect(parsed(splitter.push(bytes('[1,2,3')))).toEqual([1, 2])
    expect(() => splitter.finish()).toThrow('The answer ends too early, at byte 6 after 2 whole elements.')
  })

  test('without a byte is an error too', () => {
    expect(errorCode([])).toBe('bad-json')
    expect(errorCode([bytes(' \n ')])).toBe('bad-json')
  })
})

describe('what is not an array', () => {
  test.each([
    '<html>No</html>',
    '"text"',
    '12',
    'null',
    ']',
    '[1,,2]',
    '[,1]',
    '[1,]',
    '[1}',
    '[1] 2',
    '[][]',
    '{} {}',
  ])('%s is an error', (text) => {
    expect(errorCode([bytes(text)])).toBe('bad-json')
    expect(errorCode(crumbs(text))).toBe('bad-json')
  })

  test('is shown by its beginning', () => {
    expect(() => split([bytes(`<html>\n${'x'.repeat(1000)}`)])).toThrow(/it begins with: <html> x{100,293}…?$/)
  })
})

test('an element beyond the limit is an error before it is held in memory', () => {
  const splitter = new ElementSplitter('The answer', { ...unlimited, elementBytes: 1000 })
  expect(splitter.push(bytes(`[1,"${'x'.repeat(900)}`))).toEqual([])
  expect(() => splitter.push(bytes('x'.repeat(200)))).toThrow('Element 2 of The answer is larger than 1000 bytes.')
})
