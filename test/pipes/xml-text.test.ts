import { describe, expect, test } from 'vitest'
import { dictOf } from '../../src/model/dict.ts'
import { parseJson } from '../../src/model/json.ts'
import { Datetime, Decimal, NI } from '../../src/model/value.ts'
import { xmlChunks, xmlEndpointSink } from '../../src/pipes/sinks/xml-endpoint.ts'
import { sinkContract } from '../contracts/sink-contract.ts'
import { configured } from './surroundings.ts'

sinkContract(xmlEndpointSink)

async function* batches(...texts: string[]) {
  for (const text of texts) yield [parseJson(text) as never]
}

async function xml(entities: readonly string[], config: Record<string, unknown> = {}): Promise<string> {
  let all = ''
  const sink = configured(xmlEndpointSink.config, { type: 'xml_endpoint', ...config })
  for await (const chunk of xmlChunks(sink, batches(...entities))) all += chunk
  return all
}

describe('published XML', () => {
  test('has an element for the tag and attributes for the rest, at every depth', async () => {
    const entity =
      '{"_id":"1","_updated":4,"$ids":["~:a:1"],"lang":"nb","<person>":[{"<name>":"Å & <co>"},"left out",{"type":"home","<address>":{"<city>":"Oslo"}},{"<nothing>":null},{"<empty>":{}}]}'
    expect(await xml([entity])).toBe(
      '<person lang="nb"><name>Å &amp; &lt;co&gt;</name><address type="home"><city>Oslo</city></address><nothing></nothing><empty></empty></person>',
    )
  })

  test('is inside its wrapper, behind its declaration, root attributes on the outermost', async () => {
    const entities = ['{"_id":"1","<a>":1}', '{"_id":"2","_deleted":true,"<a>":2}', '{"_id":"3","<a>":true}']
    expect(
      await xml(entities, { wrapper: 'all', 'root-attributes': { xmlns: 'urn:x', n: 1 }, 'include-xml-decl': true }),
    ).toBe('<?xml version="1.0" encoding="UTF-8" standalone="yes"?><all xmlns="urn:x" n="1"><a>1</a><a>true</a></all>')
    expect(await xml(entities, { 'root-attributes': { n: '"' }, 'skip-deleted-entities': false })).toBe(
      '<a n="&quot;">1</a><a n="&quot;">2</a><a n="&quot;">true</a>',
    )
    expect(await xml([], { wrapper: 'all', byte_order_mark: true })).toBe('\ufeff<all></all>')
  })

  test('writes typed values as text, and escapes what readers would change', async () => {
    expect(await xml(['{"_id":"1","x":"a\\t\\n\\r\\"","<a>":"~t2020-01-01T00:00:00Z"}'])).toBe(
      '<a x="a&#9;&#10;&#13;&quot;">2020-01-01T00:00:00Z</a>',
    )
    expect(await xml(['{"_id":"1","<a>":"x\\r\\u0001y"}'])).toBe('<a>x&#13;\ufffdy</a>')
    const typed = dictOf({ _id: '1', d: new Decimal(150n, 2), at: new Datetime(0n), '<a>': new NI('ns:1') })
    expect(xmlEndpointSink.kind).toBe('publisher')
    let all = ''
    const config = configured(xmlEndpointSink.config, { type: 'xml_endpoint' })
    for await (const chunk of xmlChunks(
      config,
      (async function* () {
        yield [typed]
      })(),
    ))
      all += chunk
    expect(all).toBe('<a d="1.50" at="1970-01-01T00:00:00Z">ns:1</a>')
  })

  test.each([
    ['{"_id":"e1","name":"x"}', 'no property of the form'],
    ['{"_id":"e1","<a>":1,"<b>":2}', 'two elements'],
    ['{"_id":"e1","<a>":{"x":1}}', 'no property of the form'],
    ['{"_id":"e1","x":[1],"<a>":1}', 'holds a list'],
    ['{"_id":"e1","1x":1,"<a>":1}', '"1x" is no name'],
    ['{"_id":"e1","<a b>":1}', '"a b" is no name'],
  ])('of %s cannot be made, and the error names the entity', async (entity, why) => {
    await expect(xml([entity])).rejects.toMatchObject({
      code: 'bad-xml',
      message: expect.stringMatching(new RegExp(`'e1'.*${why}`)),
      details: { entity: 'e1' },
    })
  })

  test('refuses names that are none', () => {
    const found = xmlEndpointSink.check?.(
      configured(xmlEndpointSink.config, { type: 'xml_endpoint', wrapper: 'a b', 'root-attributes': { 'x"': '1' } }),
    )
    expect(found?.map(({ pointer }) => pointer)).toEqual(['/wrapper', '/root-attributes'])
  })
})
