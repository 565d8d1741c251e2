import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { elementTexts } from '../../src/config/elements.ts'
import { parseConfiguration } from '../../src/config/files.ts'

const messages = (input: Parameters<typeof parseConfiguration>[0]) =>
  parseConfiguration(input).problems.map(({ file, component, pointer, message }) => ({
    file,
    component,
    pointer,
    message,
  }))

describe('a configuration', () => {
  it('keeps the text of each component exactly as it was given', () => {
    const one = '{"_id": "a",  "type":"pipe", "x": 1.0, "n": 12345678901234567890, "e": 1e3, "é": "\\u00e9"}'
    const two = '{"type":"system:url","_id":"s","url_pattern":"[x, {\\"y\\"} ]"}'
    const { components, problems } = parseConfiguration(`\n[ ${one} ,\n${two}\n]`)
    expect(problems).toEqual([])
    expect(components.map(({ text }) => text)).toEqual([one, two])
    expect(components.map(({ id, type }) => [id, type])).toEqual([
      ['a', 'pipe'],
      ['s', 'system:url'],
    ])
  })

  it('may be a single object', () => {
    expect(parseConfiguration('{"_id":"a","type":"pipe"}').components).toHaveLength(1)
  })

  it('gives the metadata its id when it has none', () => {
    expect(parseConfiguration('[{"type":"metadata"}]').components[0]?.id).toBe('node')
  })

  it('says where JSON is broken, and goes on with the other files', () => {
    const files = [
      { name: 'pipes/a.conf.json', text: '{\n  "_id": "a",\n  "type": "pipe",,\n}' },
      { name: 'pipes/b.conf.json', text: '{"_id":"b","type":"pipe"}' },
    ]
    expect(parseConfiguration(files).components.map(({ id }) => id)).toEqual(['b'])
    expect(messages(files)).toEqual([
      {
        file: 'pipes/a.conf.json',
        component: 'a',
        pointer: '',
        message: 'Not JSON: expected a name in double quotes, found "," at line 3, column 18.',
      },
    ])
  })

  it('names what is missing, doubled or of an unknown type, all at once', () => {
    const texts = [
      '{"type":"pipe"}',
      '{"_id":"a"}',
      '{"_id":"b","type":"pump"}',
      '{"_id":"c","type":"pipe"}',
      '{"_id":"c","type":"pipe"}',
      '{"_id":"d/e","type":"pipe"}',
      '{"_id":"other","type":"metadata"}',
      '7',
    ]
    expect(messages(texts).map(({ pointer, message }) => `${pointer} ${message}`)).toEqual([
      "/_id The property '_id' is missing: a string.",
      "/type The property 'type' is missing: 'pipe', 'system:…' or 'metadata'.",
      "/type Unknown type 'pump': a component is a 'pipe', a 'system:…' or 'metadata'.",
      "/_id The id 'c' is used twice; another pipe has it too.",
      "/_id The id 'd/e' holds a '/', which ids may not.",
      "/_id The node metadata has the id 'node', not 'other': there is one of it.",
      ' A component is a JSON object.',
    ])
  })

  it('refuses a text that is neither an array nor an object', () => {
    expect(messages('"x"')[0]?.message).toBe('A configuration is a JSON array of components.')
    expect(messages('[1,')[0]?.message).toMatch(/^Not JSON: expected a value, found the end of the text/)
  })
})

describe('the texts of the elements of an array', () => {
  test('are the texts it was joined from', () => {
    fc.assert(
      fc.property(fc.array(fc.json({ maxDepth: 3 })), fc.constantFrom('', ' ', '\n  '), (elements, space) => {
        const texts = elements.map((text) => text.trim())
        expect(elementTexts(`[${space}${texts.join(`${space},${space}`)}${space}]`)).toEqual(texts)
      }),
    )
  })
})
